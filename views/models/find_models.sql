-- one model of the cells and kinds asked for
-- spec: cell_types 5, CT-030, CT-033
-- sdk: GlifApi.get_neuronal_models, BiophysicalApi.get_neuronal_models
-- macro: models.find_models(specimens := null, templates := null)
--   specimens   cells, a list; NULL for all
--   templates   kinds of model, a list of template ids; NULL for all seven
select m.*
from models.neuronal_models as m
where (specimens is null or m.specimen_id in (select unnest(specimens::bigint[])))
    and (templates is null or m.neuronal_model_template_id in (select unnest(templates::bigint[])))
