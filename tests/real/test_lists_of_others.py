"""Tables that people made of the Allen Institute's data: corrections, runs of sessions, columns of the cells' metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake
import pytest
from brainlake.ingest.rma_grammar import parse
from brainlake.lake.facade import Lake

RealData = Callable[[str], Path]
RECORDS = ("rma/atldld/rma_all_SectionDataSet.json", "rma/atldld/sync_SectionDataSet.txt")


def rows(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    return lake.sql(query).pl().rows()


@pytest.fixture(scope="module")
def lake(real_data: RealData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    files = (
        "metadata/ecephys/warehouse_patches", "metadata/ecephys/neuropixels_vc_experiment_metadata.csv",
        "metadata/ecephys/sessions.csv", "metadata/brain_observatory/swdb_dg_table.csv",
    )  # fmt: skip
    with brainlake.create(tmp_path_factory.mktemp("lists") / "lake") as made:
        made.ingest([real_data(name) for name in files], jobs=1).raise_failed()
        yield made


def test_corrections_of_three_probes_are_those_that_every_lake_knows(lake: Lake, tmp_path: Path) -> None:
    told = "select * from ecephys.structure_patches where structure_id is not null order by all"
    assert rows(lake, "select count(*), count(distinct probe_id) from ecephys.corrected_structures") == [(943, 3)]
    with brainlake.create(tmp_path / "empty") as empty:
        assert rows(lake, told) == rows(empty, told)


def test_sessions_have_the_time_and_the_rig_of_their_run(lake: Lake) -> None:
    """57 of the 58: 819701982 is in no log. The warehouse's date of acquisition is half a year later."""
    assert rows(lake, "select count(*), count(run_start_time_utc) from ecephys.sessions") == [(58, 57)]
    assert rows(lake, "select session_id from ecephys.sessions where not in_runs") == [(819701982,)]
    assert rows(
        lake,
        "select run_start_time_utc::varchar, rig_equipment_name, mouse_id, date_of_acquisition_utc::varchar "
        "from ecephys.sessions where session_id = 715093703",
    ) == [("2018-06-27 21:07:11", "NP.1", "386129", "2019-01-19 08:54:18")]
    assert rows(
        lake, "select count(*) from ecephys.sessions where run_start_time_utc > date_of_acquisition_utc"
    ) == [(0,)]  # fmt: skip


def test_columns_of_cell_metrics_are_metrics(lake: Lake) -> None:
    """40,359 cells, 20,546 of them responsive to drifting gratings, as the file's README counts them."""
    assert rows(
        lake,
        "select count(*), count(*) filter (extra->>'responsive_dg' = 'True') from rma.api_cam_cell_metrics",
    ) == [(40_359, 20_546)]
    assert rows(
        lake,
        "select tld1_name, imaging_depth, pref_dir_dg, pref_tf_dg, g_osi_dg from rma.api_cam_cell_metrics "
        "where cell_specimen_id = 570928778",
    ) == [("Emx1-IRES-Cre", 175, 315.0, 1.0, 0.17796058928)]


def test_a_bare_record_and_its_envelope_answer_alike(real_data: RealData, tmp_path: Path) -> None:
    """One goes to the answers' tables and one to the experiments', and every question asks both."""
    answers = []
    for name in RECORDS:
        with brainlake.create(tmp_path / Path(name).stem) as lake:
            lake.ingest(real_data(name), jobs=1).raise_failed()
            query = parse("model::SectionDataSet,rma::criteria,[id$eq123],rma::include,alignment3d")
            answers.append((
                list(lake.api().answer(query)), rows(lake, "from ccf.image_series"),
                rows(lake, "select connectivity.affine(123), connectivity.affine(123, 'tvr')"),
                rows(lake, "from rma.data_sets"),
            ))  # fmt: skip
    assert answers[0] == answers[1]
    (record,) = answers[0][0]
    assert (record["specimen_id"], record["alignment3d"]["trv_09"]) == (702643, 953.568)
