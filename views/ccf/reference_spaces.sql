-- one reference space of the Allen Institute, as the reference knows them
-- spec: connectivity 3.2, CON-034
-- sdk: ReferenceSpaceApi.CCF_2015, ReferenceSpaceApi.CCF_2016, ReferenceSpaceApi.CCF_2017, ReferenceSpaceApi.CCF_VERSION_DEFAULT, ReferenceSpaceApi.VOXEL_RESOLUTION_10_MICRONS
--   version              version of the annotation
--   age                  age of the animals
--   axes_grow_to         PIR: axes grow to posterior, inferior and right
--   extent_um            length along ap, dv and ml; NULL where it is not one for all volumes (um)
--   graph_id             structure graph of its annotation
--   reference_space_id   reference space of the warehouse
--   is_default           what the reference takes where nobody chooses
select
    r.version,
    r.age,
    'PIR' as axes_grow_to,
    case when r.graph_id = 1 then [13200.0::double, 8000.0::double, 11400.0::double] end as extent_um,
    r.graph_id,
    r.reference_space_id,
    r.version = 'ccf_2017' as is_default
from (
    values
        ('ccf_2017', 'P56', 1, 9),
        ('ccf_2016', 'P56', 1, 9),
        ('ccf_2015', 'P56', 1, 9),
        ('mouse_2011', 'P56', 1, 9),
        ('devmouse_2012', 'E11.5 to P56', 17, null)
) as r(version, age, graph_id, reference_space_id)
