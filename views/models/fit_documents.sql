-- one fit as the document that its rows make: what a file of it would hold
-- spec: cell_types CT-158
-- sdk: BiophysicalApi.cache_data
--   biophysical_fit_id   fit
--   document_json        JSON of the same content as the file it was read from
with sections as (
    select
        d.description_id,
        d.section,
        list(
            case
                when d.section = 'genome' then json_object(
                    'section', g.section,
                    'name', g.parameter_name,
                    'value', case when g.value_text is null then to_json(g.parameter_value) else to_json(g.value_text) end,
                    'mechanism', g.mechanism
                )
                else d.entry_json::json
            end
            order by d.entry_index
        ) as entries,
        bool_or(d.is_unary) as is_unary
    from models.descriptions as d
    join models.biophysical_fits as f on f.biophysical_fit_id = d.description_id
    left join models.biophysical_genome as g
        on g.biophysical_fit_id = d.description_id
        and d.section = 'genome'
        and g.row_index = d.entry_index
    group by d.description_id, d.section
)
select
    s.description_id as biophysical_fit_id,
    json_group_object(
        s.section, case when s.is_unary then s.entries[1] else to_json(s.entries) end
    )::varchar as document_json
from sections as s
group by s.description_id
