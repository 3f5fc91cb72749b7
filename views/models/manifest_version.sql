-- one manifest: its version, and whether it is the one that is expected
-- spec: api C-MF1
-- sdk: Manifest.load_config, ManifestVersionError.outdated
-- A number is no text: 1.3 is not '1.3'. A manifest that tells no version is what NULL expects.
-- macro: models.manifest_version(manifest, expected)
--   manifest         manifest
--   expected         version, a number or a text; NULL expects none
--   description_id   manifest
--   found_version    version that its last version entry tells, as JSON; NULL where there is none
--   is_expected      it is the version that is expected
--   is_outdated      it is below the expected one; NULL where the two do not compare
with told as (
    select
        f.description_id,
        (
            select arg_max(coalesce(d.entry_json::json -> '$.value', d.entry_json::json -> '$.version'), d.entry_index)
            from models.descriptions as d
            where d.description_id = f.description_id
                and d.section = 'manifest'
                and d.entry_json::json ->> '$.type' = 'manifest_version'
        ) as version_json,
        to_json(expected) as expected_json
    from models.description_files as f
    where f.description_id = manifest::bigint
),
compared as (
    select
        t.*,
        coalesce(json_type(t.version_json), 'NULL') as found_type,
        coalesce(json_type(t.expected_json), 'NULL') as expected_type,
        t.version_json ->> '$' as found_text,
        t.expected_json ->> '$' as expected_text,
        found_type = 'VARCHAR' and expected_type = 'VARCHAR' as are_texts,
        found_type in ('DOUBLE', 'BIGINT', 'UBIGINT') and expected_type in ('DOUBLE', 'BIGINT', 'UBIGINT') as are_numbers
    from told as t
)
select
    c.description_id,
    c.version_json::varchar as found_version,
    case
        when c.are_numbers then c.found_text::double = c.expected_text::double
        when c.are_texts then c.found_text = c.expected_text
        else c.found_type = 'NULL' and c.expected_type = 'NULL'
    end as is_expected,
    case
        when c.are_numbers then c.found_text::double < c.expected_text::double
        when c.are_texts then c.found_text < c.expected_text
    end as is_outdated
from compared as c
