"""Canned queries of the reference that are no templates, each the text it sends (spec: api 2.6, Q01-Q33).

They are named as their questions; ``CANNED`` maps the ids of the spec to them. A value of ``ids`` may be one id or
several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from .rma_services import service_query
from .rma_text import EVERY, UNCOUNTED, Options, model_stage, pipe_stage, quote_string

Ids = int | str | Iterable[int | str]

NEUROPIXELS_PAGE = 5_000
CONNECTIVITY_PRODUCTS = (5, 31)
ISH_PAGE = 2_000

_TYPED_FILES = "well_known_files(well_known_file_type)"
_NO_FAILED_EPHYS = "specimen(ephys_result[failed$eqfalse])"
_CELL_PARTS = (
    "structure,cortex_layer,donor(transgenic_lines,organism,conditions),specimen_tags,cell_soma_locations,"
    "ephys_features,data_sets,neuron_reconstructions,cell_reporter"
)
_BIOPHYSICAL_PARTS = (
    f"neuronal_model_template({_TYPED_FILES}),"
    f"specimen(ephys_result({_TYPED_FILES}),neuron_reconstructions({_TYPED_FILES}),ephys_sweeps),{_TYPED_FILES}"
)
_INJECTION_COLUMNS = (
    "id", "failed", "storage_directory", "red_lower", "red_upper", "green_lower", "green_upper", "blue_lower",
    "blue_upper", "products.id", "specimen_id", "structure_id", "reference_space_id", "primary_injection_structure_id",
    "registration_point", "coordinates_ap", "coordinates_dv", "coordinates_ml", "angle", "sex", "strain",
    "injection_materials", "acronym", "structures.name", "days", "transgenic_mice.name", "transgenic_lines.name",
    "transgenic_lines.description", "transgenic_lines.id", "donors.id",
)  # fmt: skip
_CHANNEL_COLUMNS = (
    "ecephys_channels.id", "ecephys_probe_id", "local_index", "probe_horizontal_position", "probe_vertical_position",
    "anterior_posterior_ccf_coordinate", "dorsal_ventral_ccf_coordinate", "left_right_ccf_coordinate",
    "structures.id as ecephys_structure_id", "structures.acronym as ecephys_structure_acronym",
)  # fmt: skip


def annotated_data_sets(
    structures: Ids,
    intensity: Sequence[str] = (),
    density: Sequence[str] = (),
    pattern: Sequence[str] = (),
    ages: Sequence[str] = (),
) -> str:
    """Q01: image series with a manual annotation of structures."""
    calls = (("intensity_call", intensity), ("density_call", density), ("pattern_call", pattern))
    annotated = "".join(f"[{name}$in{_quoted(values)}]" for name, values in calls if values)
    aged = f"[name$in{_quoted(ages)}]" if ages else ""
    order = ("genes.acronym", "ages.embryonic+desc", "ages.days", "data_sets.id")
    return model_stage(
        "SectionDataSet",
        f"manual_annotations{annotated}(structure[id$in{_ids(structures)}])",
        f"specimen(donor(age{aged})),probes(gene),plane_of_section",
        Options(num_rows=50, start_row=0, order=order),
    )


def biophysical_model(neuronal_model: int) -> str:
    """Q02: a biophysical model with all its files and the sweeps of its cell."""
    return model_stage("NeuronalModel", f"[id$eq{neuronal_model}],{_BIOPHYSICAL_PARTS}", _BIOPHYSICAL_PARTS)


def cells(cell: int | None = None) -> str:
    """Q03: every cell of the Cell Types Database, or one."""
    one = None if cell is None else f"[specimen__id$eq{cell}]"
    return model_stage("ApiCellTypesSpecimenDetail", one, options=EVERY)


def specimens(cell: int | None = None) -> str:
    """Q04: the same in the older form, with what belongs to each."""
    criteria = (
        f"[id$eq'{cell}']" if cell is not None
        else "[is_cell_specimen$eq'true'],products[name$in'Mouse Cell Types','Human Cell Types'],"
        "ephys_result[failed$eqfalse]"
    )  # fmt: skip
    return model_stage("Specimen", criteria, _CELL_PARTS, EVERY)


def sweeps(cell: int) -> str:
    """Q05: sweeps of a cell."""
    return model_stage("EphysSweep", f"[specimen_id$eq{cell}]", options=EVERY)


def ephys_features() -> str:
    """Q06: electrophysiology features of every cell."""
    return model_stage("EphysFeature", _NO_FAILED_EPHYS, options=EVERY)


def morphology_features() -> str:
    """Q07: features of every reconstruction, without its tags (D-02)."""
    return model_stage("NeuronReconstruction", _NO_FAILED_EPHYS, options=replace(EVERY, except_="tags"))


def recording_file(cell: int) -> str:
    """Q08: the file of a cell's recording (NWB)."""
    kind = "ephys_result(well_known_files(well_known_file_type[name$eqNWBDownload]))"
    return model_stage("Specimen", f"[id$eq{cell}],{kind}", f"ephys_result({_TYPED_FILES})", EVERY)


def reconstruction_file(cell: int, kind: str = "3DNeuronReconstruction") -> str:
    """Q09: the file of a cell's reconstruction (SWC), or with kind ``3DNeuronMarker`` of its markers."""
    included = f"neuron_reconstructions(well_known_files(well_known_file_type[name$eq{quote_string(kind)}]))"
    return model_stage("Specimen", f"[id$eq{cell}],neuron_reconstructions(well_known_files)", included, EVERY)


def glif_models() -> str:
    """Q10: every GLIF model."""
    included = f"{_NO_FAILED_EPHYS},neuronal_model_template[name$il'*LIF*']"
    return model_stage("NeuronalModel", include=included, options=EVERY)


def glif_model(neuronal_model: int) -> str:
    """Q11: a GLIF model with its files."""
    included = (
        f"neuronal_model_template({_TYPED_FILES}),specimen(ephys_sweeps,ephys_result({_TYPED_FILES})),{_TYPED_FILES}"
    )
    return model_stage("NeuronalModel", f"[id$eq{neuronal_model}]", included, EVERY)


def deformation_field_files(data_set: int) -> str:
    """Q12: the two files of an image series' deformation field."""
    kinds = "well_known_file_type[name$in'DeformationFieldHeader','DeformationFieldVoxels']"
    return model_stage("WellKnownFile", kinds, "well_known_file_type", filters={"attachable_id": data_set})


def alignment3d(data_set: int) -> str:
    """Q13: an image series' alignment to the reference space."""
    return model_stage("SectionDataSet", include="alignment3d", options=UNCOUNTED, filters={"id": data_set})


def atlas_images(atlas: int, image_type: str | None = None) -> list[str]:
    """Q14: annotated images of an atlas; its image type is asked for first where nobody says it."""
    stages, wanted = [], "$type_name"
    if image_type is None:
        stages.append(model_stage("Atlas", f"[id$eq{atlas}]", options=Options(only="image_type")))
        stages.append(pipe_stage("list", [("type_name", "$is", quote_string("image_type"))]))
    else:
        wanted = quote_string(image_type)
    criteria = f"[annotated$eqtrue],atlas_data_set(atlases[id$eq{atlas}]),alternate_images[image_type$eq{wanted}]"
    order = "sub_images.section_number"
    return [*stages, model_stage("AtlasImage", criteria, options=Options(num_rows="all", order=order))]


def ish_data_sets(genes: Ids | None = None, products: Ids = (1,), **paging: Any) -> str:
    """Q15: image series of genes, to be asked for in pages."""
    criteria = f"products[id$in{_ids(products)}]" + ("" if genes is None else f",genes[id$in{_ids(genes)}]")
    return model_stage("SectionDataSet", criteria, "genes", Options(order="'id'", count=False, **paging))


def genes(organisms: Ids = (2,), chromosomes: Ids | None = None, **paging: Any) -> str:
    """Q16: genes, to be asked for in pages."""
    criteria = f"[organism_id$in{_ids(organisms)}]"
    criteria += "" if chromosomes is None else f",[chromosome_id$in{_ids(chromosomes)}]"
    return model_stage("Gene", criteria, "chromosome", Options(order="'id'", count=False, **paging))


def connectivity_data_sets(data_sets: Ids | None = None) -> str:
    """Q17: connectivity experiments as image series; the reference's fifty rows (D-03)."""
    products = ",".join(map(str, CONNECTIVITY_PRODUCTS))
    among = "" if data_sets is None else f",[id$in{_ids(data_sets)}]"
    return model_stage("SectionDataSet", f"[failed$eqfalse],products[id$in{products}]{among}")


def connectivity_experiments() -> str:
    """Q18: every connectivity experiment, a line each."""
    return model_stage("ApiConnectivity", options=EVERY)


def injection_summary(data_set: int) -> str:
    """Q19: what was injected into an experiment's animal."""
    included = "specimen(donor(transgenic_mouse(transgenic_lines)),injections(structure,age)),equalization,products"
    return model_stage("SectionDataSet", f"[id$in{data_set}]", included, Options(only=_INJECTION_COLUMNS))


def experiment_detail(data_set: int) -> str:
    """Q20: an experiment with its injections, images and colours."""
    included = (
        "specimen(stereotaxic_injections(primary_injection_structure,structures,stereotaxic_injection_coordinates)),"
        "equalization,sub_images"
    )
    order = quote_string("sub_images.section_number$asc")
    return model_stage("SectionDataSet", f"[id$eq{data_set}]", included, Options(order=order))


def projection_image(data_set: int, section: int) -> str:
    """Q21: one image of an experiment, and its colours."""
    return model_stage("SectionDataSet", f"[id$eq{data_set}]", f"equalization,sub_images[section_number$eq{section}]")


def aligned_channels_file(data_set: int) -> str:
    """Q22: the file of an experiment's channels on the reference grid."""
    kind = quote_string("ImagesResampledTo25MicronARA")
    return model_stage("WellKnownFile", f"well_known_file_type[name$eq{kind}][attachable_id$eq{data_set}]")


def unionizes(
    experiments: Ids,
    is_injection: bool | None = None,
    structures: Ids | None = None,
    structure_name: str | None = None,
    hemispheres: Ids | None = None,
    above: float | None = None,
    **options: Any,
) -> str:
    """Q23: sums of experiments over structures. above : normalised projection volume that rows must exceed."""
    criteria = f"[section_data_set_id$in{_ids(experiments)}]"
    if is_injection is not None:
        criteria += f"[is_injection$eq{'true' if is_injection else 'false'}]"
    if above is not None:
        criteria += f"[normalized_projection_volume$gt{above:f}]"
    if hemispheres is not None:
        criteria += f"[hemisphere_id$in{_ids(hemispheres)}]"
    if structure_name is not None:
        criteria += f",structure[name$eq{quote_string(structure_name)}]"
    elif structures is not None:
        criteria += f"[structure_id$in{_ids(structures)}]"
    include = options.pop("include", None)
    given = {"num_rows": "all", "count": False, **options}
    return model_stage("ProjectionStructureUnionize", criteria, include, Options(**given))


def source_search(**parameters: Any) -> str:
    """Q24: experiments by where they were injected."""
    return service_query("mouse_connectivity_injection_structure", **parameters)


def spatial_search(**parameters: Any) -> str:
    """Q25: experiments that project to a point."""
    return service_query("mouse_connectivity_target_spatial", **parameters)


def injection_coordinate_search(**parameters: Any) -> str:
    """Q26: experiments by the distance of their injection from a point."""
    return service_query("mouse_connectivity_injection_coordinate", **parameters)


def correlation_search(**parameters: Any) -> str:
    """Q27: experiments that project alike."""
    return service_query("mouse_connectivity_correlation", **parameters)


def ecephys_sessions(
    sessions: Ids | None = None, has_eye_tracking: bool | None = None, stimuli: Sequence[str] | None = None
) -> str:
    """Q28: Neuropixels sessions."""
    filters = "" if sessions is None else f"[id$in{_ids(sessions)}]"
    if has_eye_tracking is not None:
        filters += f"[fail_eye_tracking$eq{'false' if has_eye_tracking else 'true'}]"
    filters += "" if stimuli is None else f"[stimulus_name$in{_quoted(stimuli)}]"
    included = "specimen(donor(age)),well_known_files(well_known_file_type)"
    return model_stage("EcephysSession" + filters, include=included)


def ecephys_probes(probes: Ids | None = None, sessions: Ids | None = None) -> str:
    """Q29: Neuropixels probes."""
    filters = "" if probes is None else f"[id$in{_ids(probes)}]"
    return model_stage(
        "EcephysProbe" + filters + ("" if sessions is None else f"[ecephys_session_id$in{_ids(sessions)}]")
    )


def ecephys_channels(channels: Ids | None = None, probes: Ids | None = None) -> str:
    """Q30: channels of Neuropixels probes, flat, with the structure each lies in."""
    filters = "" if channels is None else f"[id$in{_ids(channels)}]"
    filters += "" if probes is None else f"[ecephys_probe_id$in{_ids(probes)}]"
    tabular = Options(tabular=quote_string(",".join(_CHANNEL_COLUMNS)))
    return model_stage("EcephysChannel" + filters, include="structure", options=tabular)


def ecephys_units(
    units: Ids | None = None, channels: Ids | None = None, probes: Ids | None = None, sessions: Ids | None = None
) -> str:
    """Q31: sorted units; each condition a criteria of its own."""
    within = (
        (units, "[id$in{}]"),
        (channels, "[ecephys_channel_id$in{}]"),
        (probes, "ecephys_channel(ecephys_probe[id$in{}])"),
        (sessions, "ecephys_channel(ecephys_probe(ecephys_session[id$in{}]))"),
    )
    criteria = (f",rma::criteria,{text.format(_ids(ids))}" for ids, text in within if ids is not None)
    return "model::EcephysUnit" + "".join(criteria)


def unit_analysis_metrics(
    units: Ids | None = None, sessions: Ids | None = None, stimuli: Sequence[str] | None = None
) -> str:
    """Q32: analysis metrics of units."""
    path = "ecephys_unit(ecephys_channel(ecephys_probe(ecephys_session[{}])))"
    within = (
        None if units is None else f"[ecephys_unit_id$in{_ids(units)}]",
        None if sessions is None else path.format(f"id$in{_ids(sessions)}"),
        None if stimuli is None else path.format(f"stimulus_name$in{_quoted(stimuli)}"),
    )
    return "model::EcephysUnitMetricBundle" + "".join(f",rma::criteria,{text}" for text in within if text)


def ecephys_file(owner: int, kind: str = "EcephysNwb", owner_type: str = "EcephysSession") -> str:
    """Q33: a file of a session (EcephysNwb), a probe (EcephysLfpNwb of an EcephysProbe) or a product (Stimulus)."""
    criteria = (
        f"well_known_file_type[name$eq{quote_string(kind)}]"
        f"[attachable_type$eq{quote_string(owner_type)}][attachable_id$eq{owner}]"
    )
    return model_stage("WellKnownFile", criteria)


def neuropixels_page(query: str, start_row: int, num_rows: int = NEUROPIXELS_PAGE) -> str:
    """C-PG2: a Neuropixels query's page, by the id of its rows."""
    return f"{query},rma::options[start_row$eq{start_row}][num_rows$eq{num_rows}][order$eq'id']"


_ORDER: tuple[Callable[..., str | list[str]], ...] = (
    annotated_data_sets, biophysical_model, cells, specimens, sweeps, ephys_features, morphology_features,
    recording_file, reconstruction_file, glif_models, glif_model, deformation_field_files, alignment3d,
    atlas_images, ish_data_sets, genes, connectivity_data_sets, connectivity_experiments, injection_summary,
    experiment_detail, projection_image, aligned_channels_file, unionizes, source_search, spatial_search,
    injection_coordinate_search, correlation_search, ecephys_sessions, ecephys_probes, ecephys_channels,
    ecephys_units, unit_analysis_metrics, ecephys_file,
)  # fmt: skip

CANNED = {f"Q{number:02d}": query for number, query in enumerate(_ORDER, start=1)}
"""The queries by their ids in the spec."""


def _ids(ids: Ids) -> str:
    return str(ids) if isinstance(ids, int | str) else ",".join(map(str, ids))


def _quoted(names: Iterable[str]) -> str:
    return ",".join(map(quote_string, names))
