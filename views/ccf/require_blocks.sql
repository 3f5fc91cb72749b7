-- the volume that is asked for by its id; raises where it is not kept in blocks, or not here
-- function: ccf.require_blocks(volume)
--   volume   id of the volume, as in ccf.volumes
(
    select
        case
            when count_if(v.stored_as = 'blocks') > 0 then volume::bigint
            when count(*) > 0
                then error('wrong: volume ' || volume || ' holds labels: `from ccf.annotation_volume()` makes a file of them')
            else error('unknown: there is no volume ' || volume || ': `from ccf.volumes` lists those that are')
        end
    from ccf.volumes as v
    where v.volume_id = volume::bigint
)
