-- one cell as the older endpoint (Specimen with what it includes) lists it, with the columns derived from its lists
-- spec: cell_types 5, CT-021, CT-026
-- sdk: CellTypesApi.list_cells
--   transgenic_line      the last of the donor's lines that is a driver
--   reporter_status      cell_reporter: positive, negative or other words
--   disease_categories   what the donor's conditions name as 'disease categories - X'
--   has_morphology       images of the cell exist
--   has_reconstruction   a reconstruction exists
--   dendrite_type        spiny, aspiny or sparsely spiny
--   apical               apical dendrite: intact, truncated or NA
--   tag_values           the cell's tags, name -> value, blanks in names as underscores
with tagged as (
    select
        s.specimen_id,
        map_from_entries(
            list_transform(
                list_filter(s.tags, lambda t: contains(t, ' - ')),
                lambda t: {'key': replace(split_part(t, ' - ', 1), ' ', '_'), 'value': split_part(t, ' - ', 2)}
            )
        ) as tag_values
    from icephys.legacy_specimens as s
)
select
    s.specimen_id,
    s.specimen_name,
    s.species,
    s.donor_id,
    s.donor_name,
    list_extract(
        list_filter(s.transgenic_line_names, lambda name, i: s.transgenic_line_types[i] = 'driver'), -1
    ) as transgenic_line,
    s.reporter as reporter_status,
    s.structure_id,
    s.structure_name,
    s.structure_acronym,
    s.structure_layer,
    s.hemisphere,
    s.soma_x,
    s.soma_y,
    s.soma_z,
    s.normalized_depth,
    t.tag_values['dendrite_type'] as dendrite_type,
    t.tag_values['apical'] as apical,
    t.tag_values,
    list_transform(
        list_filter(s.conditions, lambda c: starts_with(c, 'disease categories - ')),
        lambda c: c[length('disease categories - ') + 1:]
    ) as disease_categories,
    s.n_data_sets > 0 as has_morphology,
    s.n_reconstructions > 0 as has_reconstruction
from icephys.legacy_specimens as s
join tagged as t on t.specimen_id = s.specimen_id
