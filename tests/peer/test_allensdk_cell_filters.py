"""Lists of filters choose the cells of the Brain Observatory that the Allen SDK's own filters choose.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2). The records are made up: no public file has them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import brainlake
import pytest

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

AREAS = ["VISp", "VISl", "VISpm", "VISam"]
NUMBERS = ["osi_dg", "p_dg", "dsi_dg", "pref_dir_dg"]


def cells(draw: random.Random, n: int = 300) -> list[dict[str, Any]]:
    return [
        {
            "cell_specimen_id": 500_000 + i, "experiment_container_id": i % 7,
            "failed_experiment_container": draw.random() < 0.1, "area": draw.choice(AREAS),
            "all_stim": draw.random() < 0.5,
            **{name: None if draw.random() < 0.2 else round(draw.uniform(0, 2), 2) for name in NUMBERS},
        }
        for i in range(n)
    ]  # fmt: skip


def one_filter(draw: random.Random) -> dict[str, Any]:
    """One that the SDK takes: a text under = is in a list, as it is not quoted otherwise (D-20)."""
    kind = draw.choice(("number", "number", "number", "area", "flag"))
    if kind == "flag":
        return {"field": "all_stim", "op": draw.choice(("is", "=")), "value": draw.random() < 0.5}
    if kind == "area":
        if draw.random() < 0.5:
            return {"field": "area", "op": "=", "value": [draw.choice(AREAS)]}
        return {"field": "area", "op": "in", "value": draw.sample(AREAS, 2)}
    op = draw.choice(("=", "<", ">", "<=", ">=", "between", "in"))
    value: Any = round(draw.uniform(0, 2), 2)
    if op == "between":
        value = sorted((value, round(draw.uniform(0, 2), 2)))
    elif op == "in":
        value = [round(n / 100, 2) for n in draw.sample(range(200), 60)]
    return {"field": draw.choice(NUMBERS), "op": op, "value": value}


def test_lists_of_filters_choose_the_same_cells(tmp_path: Path) -> None:
    draw = random.Random(11)
    records = cells(draw)
    asked = [([one_filter(draw) for _ in range(draw.choice((0, 1, 1, 2, 3)))], draw.random() < 0.3) for _ in range(80)]
    (tmp_path / "asked.json").write_text(json.dumps({"cells": records, "filters": asked}))
    (tmp_path / "cells.json").write_text(json.dumps({"model": "ApiCamCellMetric", "success": True, "msg": records}))
    script = Path(__file__).with_name("ask_allensdk_cell_filters.py")
    ran = subprocess.run(
        [str(PYTHON), str(script), str(tmp_path / "asked.json"), str(tmp_path / "told.json")],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    told = json.loads((tmp_path / "told.json").read_text())
    query = "select cell_specimen_id as id from ophys.find_cells(filters := $filters, include_failed := $failed)"
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "cells.json", jobs=1).raise_failed()
        for (filters, failed), theirs in zip(asked, told, strict=True):
            ours = lake.sql(query, {"filters": json.dumps(filters), "failed": failed}).arrow()["id"].to_pylist()
            assert ours == sorted(theirs), filters
    assert sum(0 < len(one) < len(records) for one in told) > 40
