-- one identity that unionizes of one experiment should obey: how many do not
-- spec: connectivity section 5 (ingest checks), UNI-06, UNI-07, CON-110
--   experiment_id    experiment
--   identity         what should be equal
--   n_checked        unionizes it was checked on
--   n_broken         unionizes where it does not hold, within a relative 1e-6
--   worst_relative   largest relative difference
with sides as (
    select
        u.experiment_id,
        u.structure_id,
        u.is_injection,
        max(u.sum_pixels) filter (u.hemisphere_id = 3) as both_pixels,
        sum(u.sum_pixels) filter (u.hemisphere_id < 3) as side_pixels,
        max(u.sum_projection_pixels) filter (u.hemisphere_id = 3) as both_signal,
        sum(u.sum_projection_pixels) filter (u.hemisphere_id < 3) as side_signal
    from connectivity.published_unionizes as u
    group by u.experiment_id, u.structure_id, u.is_injection
),
checks as (
    select
        u.experiment_id,
        unnest([
            {'identity': 'volume = sum_pixels * 1.225e-9', 'said': u.volume_mm3, 'computed': u.sum_pixels * 1.225e-9},
            {
                'identity': 'projection_volume = sum_projection_pixels * 1.225e-9',
                'said': u.projection_volume_mm3,
                'computed': u.sum_projection_pixels * 1.225e-9
            },
            {
                'identity': 'projection_density = sum_projection_pixels / sum_pixels',
                'said': u.projection_density,
                'computed': u.sum_projection_pixels / nullif(u.sum_pixels, 0)
            },
            {
                'identity': 'projection_energy = sum_projection_pixel_intensity / sum_pixels',
                'said': u.projection_energy,
                'computed': u.sum_projection_pixel_intensity / nullif(u.sum_pixels, 0)
            },
            {
                'identity': 'projection_intensity = sum_projection_pixel_intensity / sum_projection_pixels',
                'said': u.projection_intensity,
                'computed': case
                    when u.sum_projection_pixels > 0 then u.sum_projection_pixel_intensity / u.sum_projection_pixels
                    else 0
                end
            },
            {
                'identity': 'normalized_projection_volume = projection_volume / one volume for the experiment',
                'said': u.normalized_projection_volume,
                -- the unionize of most signal tells that volume best
                'computed': u.projection_volume_mm3
                    * first_value(u.normalized_projection_volume / nullif(u.projection_volume_mm3, 0)) over (
                        partition by u.experiment_id order by u.projection_volume_mm3 desc
                    )
            }
        ]) as checked
    from connectivity.published_unionizes as u
    union all
    select
        s.experiment_id,
        unnest([
            {'identity': 'sum_pixels of both hemispheres = left + right', 'said': s.both_pixels, 'computed': s.side_pixels},
            {
                'identity': 'sum_projection_pixels of both hemispheres = left + right',
                'said': s.both_signal,
                'computed': s.side_signal
            }
        ]) as checked
    from sides as s
),
compared as (
    select
        c.experiment_id,
        c.checked.identity as identity,
        abs(c.checked.said - c.checked.computed)
        / greatest(abs(c.checked.said), abs(c.checked.computed), 1e-30) as relative
    from checks as c
    where c.checked.said is not null and c.checked.computed is not null
)
select
    c.experiment_id,
    c.identity,
    count(*) as n_checked,
    count_if(c.relative > 1e-6)::bigint as n_broken,
    max(c.relative) as worst_relative
from compared as c
group by c.experiment_id, c.identity
