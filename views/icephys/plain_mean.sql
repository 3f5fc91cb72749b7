-- the mean over some rows of a group; NULL as soon as one of them has no value, or there is none
-- spec: cell_types 4.5.3
-- function: icephys.plain_mean(amount, among)
--   amount   what to take the mean of
--   among    condition that tells the rows
case when count(*) filter (where among) = count(amount) filter (where among) then avg(amount) filter (where among) end
