-- one model of the cells and kinds asked for
-- spec: cell_types 5, CT-030, CT-033
-- sdk: GlifApi.get_neuronal_models, BiophysicalApi.get_neuronal_models
-- macro: models.find_models(specimens := null, templates := null)
--   specimens   cell or a list of them; NULL for all
--   templates   kind of model, a template id or a list of them; NULL for all seven
select m.*
from models.neuronal_models as m
where (specimens is null or m.specimen_id in (select unnest(lake.id_list(specimens))))
    and (templates is null or m.neuronal_model_template_id in (select unnest(lake.id_list(templates))))
