-- members of a JSON object that are not shown already, as JSON writes them inside of braces; NULL where there is none
-- spec: api 2.2, C-RS6
-- function: rma.further_members(attributes, shown, wanted)
--   attributes      a JSON object as text, as column extra of the answers that were fetched
--   shown           names of members to leave out
--   wanted          names of members to keep; NULL for all
nullif(
    array_to_string(
        list_transform(
            list_filter(
                json_keys(attributes),
                lambda k: not list_contains(shown, k) and (wanted is null or list_contains(wanted, k))
            ),
            -- by pointer, which takes any name
            lambda k: to_json(k)::varchar || ':' || json_extract(attributes, '/' || replace(replace(k, '~', '~0'), '/', '~1'))
        ),
        ','
    ),
    ''
)
