-- one kind of file that the warehouse keeps for cells and models
-- spec: cell_types 2.1, CT-020
-- sdk: CellTypesApi.NWB_FILE_TYPE, CellTypesApi.SWC_FILE_TYPE, CellTypesApi.MARKER_FILE_TYPE
--   well_known_file_type_id   kind of file
--   file_type                 name of the kind
--   holds                     what such a file holds
select
    k.well_known_file_type_id::bigint as well_known_file_type_id,
    k.file_type,
    k.holds
from (
    values
        (481007198, 'NWBDownload', 'recording of a cell (NWB 1)'),
        (478840678, 'NWBUncompressed', 'recording of a cell (NWB 1), not compressed'),
        (303941301, '3DNeuronReconstruction', 'reconstruction (SWC)'),
        (486753749, '3DNeuronMarker', 'markers of a reconstruction'),
        (292178729, 'BiophysicalModelDescription', 'mechanisms of a biophysical model (NEURON mod)'),
        (329230374, 'NeuronalModelParameters', 'parameters of a model (JSON)'),
        (488673261, 'EphysInstantaneousThresholdThumbnail', 'picture of the threshold'),
        (480715721, 'MorphologyThumbnail', 'picture of the reconstruction'),
        (480715749, 'EphysSummaryThumbnail', 'picture of a long square')
) as k(well_known_file_type_id, file_type, holds)
