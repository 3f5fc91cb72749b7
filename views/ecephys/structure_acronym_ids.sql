-- one structure named in the session files, which give acronyms without ids
-- spec: ecephys 2.3
-- kept: a few rows, which every question about channels joins
--   structure_acronym    acronym in the files; grey is brain below cortex on a probe that was not registered
--   structure_id         its CCF id
select
    r.structure_acronym,
    r.structure_id::bigint as structure_id
from (
    values
        ('grey', 8), ('SCig', 10), ('SCiw', 17), ('IGL', 27), ('LT', 66), ('VL', 81), ('MRN', 128), ('LD', 155),
        ('LGd', 170), ('LGv', 178), ('APN', 215), ('LP', 218), ('RT', 262), ('MB', 313), ('SGN', 325),
        ('BMAa', 327), ('CA', 375), ('CA1', 382), ('VISp', 385), ('VISam', 394), ('VISal', 402), ('VISl', 409),
        ('VISrl', 417), ('CA2', 423), ('CA3', 463), ('SUB', 502), ('VISpm', 533), ('TH', 549), ('NOT', 628),
        ('COAa', 639), ('COApm', 663), ('VIS', 669), ('CP', 672), ('OLF', 698), ('OP', 706), ('VPL', 718),
        ('DG', 726), ('VPM', 733), ('ZI', 797), ('SCzo', 834), ('SCsg', 842), ('SCop', 851), ('PF', 930),
        ('PO', 1020), ('POL', 1029), ('POST', 1037), ('PP', 1044), ('PPT', 1061), ('MGd', 1072), ('MGv', 1079),
        ('PRE', 1084), ('MGm', 1088), ('HPF', 1089), ('VISli', 312782574), ('VISmma', 480149258),
        ('VISmmp', 480149286), ('ProS', 484682470), ('RPF', 549009203), ('Eth', 560581551), ('PIL', 560581563),
        ('PoT', 563807435), ('IntG', 563807439)
) as r (structure_acronym, structure_id)
