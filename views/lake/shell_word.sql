-- a text as one word of a shell's line: quoted where the shell would take it apart
-- function: lake.shell_word(given)
--   given   a path or URL
case
    when regexp_full_match(given, '[A-Za-z0-9_@%+=:,./-]+') then given
    else '''' || replace(given, '''', '''"''"''') || ''''
end
