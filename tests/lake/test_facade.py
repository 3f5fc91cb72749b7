"""A lake as Python sees it: opening, time, own tables, throw-away lakes."""

from __future__ import annotations

import brainlake
import polars as pl
import pytest
from brainlake.lake.errors import CatalogError, DamageError, UnknownError

LAYERS = "ecephys_unit_id,cortical_depth,cortical_layer\n915956271,0.25,2\n915956287,0.0,0\n"


@pytest.fixture
def lake(tmp_path):
    with brainlake.create(tmp_path / "lake") as lake:
        yield lake


def test_a_directory_with_something_else_in_it_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(CatalogError):
        brainlake.create(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_opening_what_is_no_lake_says_what_to_do(tmp_path):
    with pytest.raises(CatalogError, match="brainlake create"):
        brainlake.open(tmp_path / "nowhere")


def test_the_default_lake_is_the_one_the_environment_names(tmp_path, monkeypatch):
    brainlake.create(tmp_path / "mine").close()
    monkeypatch.setenv("BRAINLAKE", str(tmp_path / "mine"))
    with brainlake.open() as lake:
        assert lake.path == tmp_path / "mine"


def test_own_tables_are_kept_replaced_and_seen_in_the_past(lake):
    labels = pl.DataFrame({"unit_id": [1, 2], "label": ["a", "b"]})
    first = lake.write("lab.labels", labels, key="unit_id").snapshot_id
    second = lake.write("lab.labels", labels.with_columns(label=pl.lit("c")), key="unit_id").snapshot_id
    query = "select label from lab.labels order by unit_id"
    assert lake.sql(query).pl()["label"].to_list() == ["c", "c"]
    with lake.at(first) as past:
        assert past.sql(query).pl()["label"].to_list() == ["a", "b"]
    changes = lake.diff("lab.labels", first, second)
    assert changes.select("change", "unit_id", "label_before", "label").rows() == [
        ("changed", 1, "a", "c"), ("changed", 2, "b", "c"),
    ]  # fmt: skip


def test_own_tables_may_not_take_our_names_or_double_a_key(lake):
    with pytest.raises(CatalogError, match="own"):
        lake.write("ecephys.labels", pl.DataFrame({"x": [1]}))
    with pytest.raises(CatalogError):
        lake.write("lab.labels", pl.DataFrame({"x": [1, 1]}), key="x")
    assert lake.sql("select count(*) as n from lake.tables where kind = 'user'").one().n == 0


def test_a_snapshot_stays_what_it_was_until_refreshed(lake):
    lake.write("lab.notes", pl.DataFrame({"x": [1]}))
    with brainlake.open(lake.path) as other:
        other.tag("before")
        lake.write("lab.notes", pl.DataFrame({"x": [1, 2]}))
        assert other.sql("select count(*) as n from lab.notes").one().n == 1
        other.refresh()
        assert other.sql("select count(*) as n from lab.notes").one().n == 2
        with other.at("before") as past:
            assert past.sql("select count(*) as n from lab.notes").one().n == 1


def test_forgetting_a_subject_takes_its_rows_and_only_those(lake, tmp_path):
    (tmp_path / "layer_info.csv").write_text(LAYERS)
    lake.ingest(tmp_path / "layer_info.csv").raise_failed()
    lake.write("lab.labels", pl.DataFrame({"unit_id": [915956271]}))
    subject = lake.sql("select subject from lake.ingests where reader = 'ecephys_csv'").one().subject
    lake.forget(subject)
    assert lake.sql("select count(*) as n from ecephys.unit_layers").one().n == 0
    assert lake.sql("select count(*) as n from lab.labels").one().n == 1
    with pytest.raises(UnknownError):
        lake.forget("ecephys.session/1")


def test_a_file_opens_as_a_throw_away_lake(tmp_path):
    (tmp_path / "layer_info.csv").write_text(LAYERS)
    with brainlake.open(tmp_path / "layer_info.csv") as lake:
        temporary = lake.path
        assert lake.sql("select sum(cortical_depth) as depth from ecephys.unit_layers").one().depth == 0.25
    assert not temporary.exists()


def test_a_name_nobody_knows_brings_the_nearest_ones(lake):
    with pytest.raises(UnknownError, match=r"ecephys\.units"):
        lake.describe("ecephys.unit")
    found = lake.find("get_units").pl()["name"].to_list()
    assert "ecephys.good_units" in found


def test_a_scan_is_a_lazy_frame(lake):
    lake.write("lab.numbers", pl.DataFrame({"x": list(range(100))}))
    frame = lake.scan("lab.numbers")
    assert isinstance(frame, pl.LazyFrame)
    assert frame.filter(pl.col("x") >= 90).select("x").collect()["x"].to_list() == list(range(90, 100))


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_lost_data_file_is_damage_that_check_explains(lake, harm):
    lake.write("lab.numbers", pl.DataFrame({"x": list(range(1000))}))
    (path,) = (lake.path / "data" / "lab").rglob("*.parquet")
    if harm == "missing":
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:100])
    assert [f.kind for f in lake.check()] == ["damage"]

    def ask() -> None:
        with brainlake.open(lake.path) as other:
            other.sql("select sum(x) as total from lab.numbers").arrow()

    with pytest.raises(DamageError, match="brainlake check"):
        ask()


def test_the_raw_connection_has_every_table_view_and_macro(lake):
    con = lake.connect()
    assert con.execute("select count(*) from ecephys.good_units").fetchall() == [(0,)]
    assert con.execute("from ecephys.stimulus_table(1, 'gabors') limit 0").fetchall() == []


def test_an_answer_keeps_its_lake_open(lake):
    """Nobody else may have it: ``lake.at(1).sql(...)``."""
    snapshot = lake.write("lab.notes", pl.DataFrame({"x": [1]})).snapshot_id
    relation = lake.at(snapshot).sql("from lab.notes")
    assert [relation.pl()["x"].to_list() for _ in range(2)] == [[1], [1]]
