-- the text of an SWC file with the nodes of a reconstruction, ids from 0, four decimals
-- spec: cell_types MO-6, CT-074, CT-187
-- sdk: Morphology.save, Morphology.write, internal.morphology.validate_swc.resave_swc
-- function: morphology.to_swc(nodes)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
swc_text(nodes)
