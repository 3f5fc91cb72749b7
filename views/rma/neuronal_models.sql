-- one neuronal model of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.neuronal_model_template_id, a.ingest_id) as neuronal_model_template_id,
    arg_max(a.neuron_reconstruction_id, a.ingest_id) as neuron_reconstruction_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_neuronal_models as a
group by a.id
