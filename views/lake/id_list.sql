-- the ids that a parameter gives, whether one or a list; none for NULL
-- function: lake.id_list(given)
--   given   an id, a list of ids, or NULL
lake.text_list(given)::bigint[]
