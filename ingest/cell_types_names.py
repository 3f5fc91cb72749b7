"""What the warehouse calls the attributes of cells, and what the lake calls them (spec: cell_types 2.1).

A record is the same whether a table or the API gives it, so the readers of both use these names, and the ``rma.*``
views turn them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..lake.spec import Column, TableSpec

DATASET = "Allen Cell Types Database"

DETAIL_NAMES = {
    "specimen__id": "specimen_id",
    "specimen__name": "specimen_name",
    "specimen__hemisphere": "hemisphere",
    "structure__id": "structure_id",
    "structure__name": "structure_name",
    "structure__acronym": "structure_acronym",
    "structure_parent__id": "parent_structure_id",
    "structure_parent__acronym": "parent_structure_acronym",
    "structure__layer": "structure_layer",
    "nr__max_euclidean_distance": "max_euclidean_distance",
    "nr__number_stems": "number_stems",
    "nr__number_bifurcations": "number_bifurcations",
    "nr__average_contraction": "average_contraction",
    "nr__average_parent_daughter_ratio": "average_parent_daughter_ratio",
    "nr__reconstruction_type": "reconstruction_type",
    "nrwkf__id": "reconstruction_file_id",
    "erwkf__id": "ephys_file_id",
    "ef__fast_trough_v_long_square": "fast_trough_v_long_square_mv",
    "ef__upstroke_downstroke_ratio_long_square": "upstroke_downstroke_ratio_long_square",
    "ef__adaptation": "adaptation",
    "ef__f_i_curve_slope": "f_i_curve_slope",
    "ef__threshold_i_long_square": "threshold_i_long_square_pa",
    "ef__tau": "tau_ms",
    "ef__avg_isi": "avg_isi_ms",
    "ef__avg_firing_rate": "avg_firing_rate",
    "ef__ri": "ri_mohm",
    "ef__peak_t_ramp": "peak_t_ramp",
    "ef__vrest": "vrest_mv",
    "si__height": "image_height",
    "si__width": "image_width",
    "si__path": "image_path",
    "csl__x": "soma_x",
    "csl__y": "soma_y",
    "csl__z": "soma_z",
    "csl__normalized_depth": "normalized_depth",
    "cell_reporter_status": "reporter_status",
    "m__glif": "n_glif_models",
    "m__biophys": "n_biophysical_models",
    "m__biophys_perisomatic": "n_perisomatic_models",
    "m__biophys_all_active": "n_all_active_models",
    "tag__apical": "apical",
    "tag__dendrite_type": "dendrite_type",
    "morph_thumb_path": "morphology_thumbnail_path",
    "ephys_thumb_path": "ephys_thumbnail_path",
    "ephys_inst_thresh_thumb_path": "threshold_thumbnail_path",
    "donor__age": "donor_age",
    "donor__sex": "donor_sex",
    "donor__disease_state": "disease_state",
    "donor__race": "donor_race",
    "donor__years_of_seizure_history": "years_of_seizure_history",
    "donor__species": "species",
    "donor__id": "donor_id",
    "donor__name": "donor_name",
}

EPHYS_FEATURE_NAMES = {
    "id": "ephys_feature_id",
    "avg_isi": "avg_isi_ms",
    "ri": "ri_mohm",
    "tau": "tau_ms",
    "vm_for_sag": "vm_for_sag_mv",
    "vrest": "vrest_mv",
    **{
        f"{point}_v_{stimulus}": f"{point}_v_{stimulus}_mv"
        for point in ("threshold", "peak", "trough", "fast_trough", "slow_trough")
        for stimulus in ("long_square", "ramp", "short_square")
    },
    **{f"threshold_i_{stimulus}": f"threshold_i_{stimulus}_pa" for stimulus in ("long_square", "ramp", "short_square")},
}

MORPHOLOGY_FEATURE_NAMES = {"id": "reconstruction_id", "neuron_reconstruction_type": "reconstruction_type"}

SWEEP_NAMES = {
    "id": "sweep_id",
    "stimulus_absolute_amplitude": "stimulus_absolute_amplitude_pa",
    "peak_deflection": "peak_deflection_mv",
}

PATCHSEQ_NAMES = {
    "cell_specimen_id": "specimen_id",
    "cell_specimen_name": "specimen_name",
    "structure": "structure_acronym",
    "biological_sex": "sex",
    "age": "donor_age",
    "apical_dendrite_status": "apical",
    "neuron_reconstruction_type": "reconstruction_type",
    "cell_soma_normalized_depth": "normalized_depth",
    "Tree_first_cl_label": "cluster_label_id",
    "": "cluster_label",  # the table's last column has no name
}


@dataclass(frozen=True)
class Record:
    """A kind of record: known by attributes that it has and others lack.

    subject : what a complete list of them is about
    names : attribute -> column, where they differ
    needs : attributes that it has, all of them; one_of : and at least one of these; lacks : and none of these
    """

    subject: str
    names: Mapping[str, str]
    needs: frozenset[str]
    one_of: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def matches(self, attributes: Sequence[str]) -> bool:
        given = set(attributes)
        return self.needs <= given and (not self.one_of or bool(self.one_of & given)) and not self.lacks & given

    def targets(self, attributes: Sequence[str], spec: TableSpec) -> dict[str, Column]:
        """Attribute -> column of the lake, for all that the lake names."""
        known = {column.name: column for column in spec if column.name != "extra"}
        targets = {name: self.names.get(name, name) for name in attributes}
        return {name: known[target] for name, target in targets.items() if target in known}


DETAILS = Record(
    "icephys.cell_types/specimen_details",
    DETAIL_NAMES,
    frozenset({"specimen__id", "specimen__name", "cell_reporter_status"}),
)
EPHYS_FEATURES = Record(
    "icephys.cell_types/ephys_features",
    EPHYS_FEATURE_NAMES,
    frozenset({"specimen_id", "rheobase_sweep_number", "upstroke_downstroke_ratio_long_square"}),
)
MORPHOLOGY_FEATURES = Record(
    "morphology.cell_types/published_features",
    MORPHOLOGY_FEATURE_NAMES,
    frozenset({"id", "specimen_id", "number_bifurcations", "max_branch_order"}),
)
SWEEPS = Record(
    "icephys.cell_types/sweeps",
    SWEEP_NAMES,
    frozenset({"specimen_id", "sweep_number", "stimulus_name", "stimulus_units"}),
)
PATCHSEQ = Record(
    "icephys.patchseq/cells",
    PATCHSEQ_NAMES,
    frozenset({"cell_specimen_id", "transcriptomics_sample_id"}),
)
