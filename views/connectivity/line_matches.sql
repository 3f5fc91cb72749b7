-- true where a transgenic line is among those wanted; 0 wants wild types, NULL wants all
-- spec: connectivity 4.6
-- function: connectivity.line_matches(line, lines)
--   line    transgenic line; NULL for a wild type
--   lines   a name or list of names, in any case, 0 for wild types; NULL: all
(
    lines is null
    or list_contains(
        list_transform(lake.text_list(lines), lambda x: lower(x)),
        coalesce(lower(line), '0')
    )
)
