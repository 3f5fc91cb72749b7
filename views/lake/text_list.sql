-- the texts that a parameter gives, whether one or a list; none for NULL
-- function: lake.text_list(given)
--   given   a text, a list of texts (NULL among them stands for itself), or NULL
from_json(
    case
        when given is null then '[]'::json
        when json_type(to_json(given)) = 'ARRAY' then to_json(given)
        else json_array(given)
    end,
    '["VARCHAR"]'
)
