-- the manifest of one compartmental model's folder, as a download of it has one, with sweeps by type
-- spec: cell_types MD-7, CT-008, CT-036
-- sdk: BiophysicalApi.create_manifest
-- macro: models.bundle_manifest(model)
--   model             model
--   manifest_json     JSON of the manifest
with files as (
    select
        any_value(f.bundle_path) filter (where f.file_kind = 'fit') as fit,
        any_value(f.bundle_path) filter (where f.file_kind = 'stimulus') as stimulus,
        any_value(f.bundle_path) filter (where f.file_kind = 'morphology') as morphology,
        any_value(f.bundle_path) filter (where f.file_kind = 'marker') as marker
    from models.model_files as f
    where f.neuronal_model_id = model::bigint
),
sweeps as (
    select
        coalesce(list(s.sweep_number order by s.sweep_number), []) as sweep_numbers
    from models.model_sweeps as s
    where s.neuronal_model_id = model::bigint
        and s.stimulus_name is distinct from 'Test'
),
types as (
    select coalesce(json_group_object(t.stimulus_name, to_json(t.sweep_numbers)), '{}'::json) as sweeps_by_type
    from models.sweeps_by_type as t
    where t.neuronal_model_id = model::bigint
),
documents as (
    select
        json_object(
            'biophys', json_array(json_object(
                'model_file', json_array('manifest.json', f.fit),
                'model_type', m.neuronal_model_template_name
            )),
            'runs', json_array(json_object('sweeps', s.sweep_numbers, 'sweeps_by_type', t.sweeps_by_type)),
            'neuron', json_array(json_object('hoc', json_array('stdgui.hoc', 'import3d.hoc'))),
            'manifest', to_json(list_filter(
                [
                    json_object('type', 'dir', 'spec', '.', 'key', 'BASEDIR'),
                    json_object('type', 'dir', 'spec', 'work', 'key', 'WORKDIR', 'parent_key', 'BASEDIR'),
                    json_object('type', 'file', 'spec', f.morphology, 'key', 'MORPHOLOGY'),
                    json_object('type', 'file', 'spec', f.marker, 'key', 'MARKER'),
                    json_object('type', 'dir', 'spec', 'modfiles', 'key', 'MODFILE_DIR'),
                    json_object('type', 'dir', 'spec', 'templates', 'key', 'CODE_DIR'),
                    json_object('type', 'file', 'format', 'NWB', 'spec', f.stimulus, 'key', 'stimulus_path'),
                    json_object(
                        'type', 'file', 'format', 'NWB', 'spec', f.stimulus, 'key', 'output_path', 'parent_key', 'WORKDIR'
                    )
                ],
                lambda e: json_type(e, '$.spec') <> 'NULL'
            ))
        )::varchar as manifest_json
    from models.neuronal_models as m
    cross join files as f
    cross join sweeps as s
    cross join types as t
    where m.neuronal_model_id = model::bigint
)
select
    coalesce(
        any_value(d.manifest_json), error('unknown: there is no record of model ' || model)
    ) as manifest_json
from documents as d
