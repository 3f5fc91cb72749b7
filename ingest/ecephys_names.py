"""How files spell what the lake's extracellular tables call otherwise: columns of units and channels, structures."""

from __future__ import annotations

# Files and warehouse tables -> the lake, for units (ecephys EC-2).
UNIT_RENAMES = {
    "PT_ratio": "waveform_pt_ratio",
    "waveform_PT_ratio": "waveform_pt_ratio",
    "amplitude": "waveform_amplitude",
    "duration": "waveform_duration",
    "halfwidth": "waveform_halfwidth",
    "recovery_slope": "waveform_recovery_slope",
    "repolarization_slope": "waveform_repolarization_slope",
    "spread": "waveform_spread",
    "velocity_above": "waveform_velocity_above",
    "velocity_below": "waveform_velocity_below",
    "L_ratio": "l_ratio",
    "ecephys_channel_id": "peak_channel_id",
}

CHANNEL_RENAMES = {
    "ecephys_probe_id": "probe_id",
    "anterior_posterior_ccf_coordinate": "ap_um",
    "dorsal_ventral_ccf_coordinate": "dv_um",
    "left_right_ccf_coordinate": "ml_um",
    "ecephys_structure_id": "structure_id",
    "ecephys_structure_acronym": "structure_acronym",
    "manual_structure_id": "structure_id",
    "manual_structure_acronym": "structure_acronym",
}

# Names of the reference's guide for metrics that its tables spell otherwise (ecephys 4.14).
METRIC_RENAMES = {
    "pref_images_multi_ns": "pref_image_multi_ns",
    **{f"p_run_mod_{s}": f"run_pval_{s}" for s in ("dg", "dm", "fl", "ns", "rf", "sg")},
    **{f"fano_factor_{s}": f"fano_{s}" for s in ("dg", "dm", "fl", "ns", "rf", "sg")},
}

# CCF ids of the acronyms in session files, which carry no ids (ecephys 2.3); 'grey': a probe without registration.
STRUCTURE_IDS = {
    "grey": 8, "SCig": 10, "SCiw": 17, "IGL": 27, "LT": 66, "VL": 81, "MRN": 128, "LD": 155, "LGd": 170, "LGv": 178,
    "APN": 215, "LP": 218, "RT": 262, "MB": 313, "SGN": 325, "BMAa": 327, "CA": 375, "CA1": 382, "VISp": 385,
    "VISam": 394, "VISal": 402, "VISl": 409, "VISrl": 417, "CA2": 423, "CA3": 463, "SUB": 502, "VISpm": 533,
    "TH": 549, "NOT": 628, "COAa": 639, "COApm": 663, "VIS": 669, "CP": 672, "OLF": 698, "OP": 706, "VPL": 718,
    "DG": 726, "VPM": 733, "ZI": 797, "SCzo": 834, "SCsg": 842, "SCop": 851, "PF": 930, "PO": 1020, "POL": 1029,
    "POST": 1037, "PP": 1044, "PPT": 1061, "MGd": 1072, "MGv": 1079, "PRE": 1084, "MGm": 1088, "HPF": 1089,
    "VISli": 312782574, "VISmma": 480149258, "VISmmp": 480149286, "ProS": 484682470, "RPF": 549009203,
    "Eth": 560581551, "PIL": 560581563, "PoT": 563807435, "IntG": 563807439,
}  # fmt: skip
