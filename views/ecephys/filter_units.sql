-- one unit that passes the given quality filter
-- spec: ecephys EC-1, OD-18, F-EC-10
-- sdk: EcephysProjectCache.get_units
-- macro: ecephys.filter_units(amplitude_cutoff_max := 0.1, presence_ratio_min := 0.95, isi_violations_max := 0.5, quality_wanted := 'good', in_brain := true, valid_channel := true, corrected := false)
--   amplitude_cutoff_max   largest estimated share of spikes below detection; NULL turns it off (1)
--   presence_ratio_min     smallest share of the session's time bins with spikes; NULL turns it off (1)
--   isi_violations_max     largest rate of refractory violations; NULL turns it off (1)
--   quality_wanted         good or noise; NULL turns it off; units of unknown quality stay
--   in_brain               only units whose peak channel has a structure
--   valid_channel          leave out units whose peak channel's data are not usable
--   corrected              keep units without a metric whose filter is off, which the reference drops: OD-18
select u.*
from ecephys.units as u
where (u.amplitude_cutoff <= coalesce(amplitude_cutoff_max::double, 'infinity'::double)
       or (corrected and amplitude_cutoff_max is null))
  and (u.presence_ratio >= coalesce(presence_ratio_min::double, '-infinity'::double)
       or (corrected and presence_ratio_min is null))
  and (u.isi_violations <= coalesce(isi_violations_max::double, 'infinity'::double)
       or (corrected and isi_violations_max is null))
  and (quality_wanted is null or coalesce(u.quality = quality_wanted, true))
  and (coalesce(u.valid_data, true) or not valid_channel)
  and (u.structure_id is not null or not in_brain)
