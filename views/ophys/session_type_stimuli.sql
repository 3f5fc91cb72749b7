-- one stimulus of one type of session of the Brain Observatory
-- spec: api C-BO2, C-BO6
-- sdk: BrainObservatoryCache.get_ophys_experiment_stimuli, BrainObservatoryCache.get_all_stimuli
--   session_type    three_session_A, _B, _C or _C2
--   stimulus_name   stimulus that was shown in it
select v.session_type, unnest(v.stimulus_names) as stimulus_name
from (values
    ('three_session_A', ['drifting_gratings', 'natural_movie_one', 'natural_movie_three', 'spontaneous']),
    ('three_session_B', ['static_gratings', 'natural_scenes', 'natural_movie_one', 'spontaneous']),
    ('three_session_C', ['locally_sparse_noise', 'natural_movie_one', 'natural_movie_two', 'spontaneous']),
    (
        'three_session_C2',
        ['locally_sparse_noise_4deg', 'locally_sparse_noise_8deg', 'natural_movie_one', 'natural_movie_two', 'spontaneous']
    )
) as v(session_type, stimulus_names)
