"""Text of queries: the reference's, byte for byte, and one that is read back as it was meant."""

from __future__ import annotations

import inspect
import json
import random
import warnings

import numpy as np
import pytest
from brainlake.ingest import rma_endpoints as at
from brainlake.ingest import rma_queries as q
from brainlake.ingest.rma_builder import model
from brainlake.ingest.rma_grammar import (
    OPERATORS,
    Bare,
    Column,
    Filter,
    Item,
    ModelStage,
    Path,
    PipeStage,
    Query,
    Quoted,
    ServiceStage,
    Variable,
    parse,
)
from brainlake.ingest.rma_services import SERVICES, service_query
from brainlake.ingest.rma_templates import GROUPS, template_query
from brainlake.ingest.rma_text import (
    Options,
    encoded,
    model_stage,
    options,
    pipe_stage,
    query_url,
    quote_string,
    schema_url,
    service_stage,
    tuple_filters,
)
from brainlake.lake.errors import QueryError
from hypothesis import given, settings
from hypothesis import strategies as st

API = "http://api.brain-map.org"
ASKED = f"{API}/api/v2/data/query.json?q="

# spec api 4.14, and the guide's examples (seed L508-545)
GOLDEN = {
    f"{ASKED}model::Structure,rma::criteria,[graph_id$in1],rma::options[num_rows$eq'all'][order$eqstructures.graph_order]"
    "[count$eqfalse]": query_url(template_query("structures_by_graph_ids", graph_ids=[1])),
    f"{ASKED}model::ApiCamCellMetric,rma::criteria,[cell_specimen_id$in517394843,517394850],rma::options[num_rows$eq2000]"
    "[start_row$eq0][order$eq'cell_specimen_id'][count$eqfalse]": query_url(
        template_query("cell_metric", cell_specimen_ids=[517394843, 517394850], num_rows=2000, start_row=0)
    ),
    f"{ASKED}service::mouse_connectivity_injection_structure[injection_structures$eqIsocortex][primary_structure_only$eqtrue]":
        query_url(q.source_search(injection_structures="Isocortex", primary_structure_only=True)),
    f"{ASKED}model::SectionDataSet[id$eq123],rma::include,alignment3d,rma::options[num_rows$eq'all'][count$eqfalse]":
        query_url(q.alignment3d(123)),
    f"{API}/api/v2/section_image_download/126862575?range=0,932,0,1279,0,4095&left=19045&top=11684&width=1000&height=1000":
        at.image(126862575, range=[0, 932, 0, 1279, 0, 4095], left=19045, top=11684, width=1000, height=1000),
    f"{API}/grid_data/download_file/12345?image=projection_density&resolution=10":
        at.projection_grid(12345, "projection_density", 10),
    f"{API}/grid_data/download/69816930?include=density": at.expression_grid(69816930, ["density"]),
    "http://download.alleninstitute.org/informatics-archive/current-release/mouse_ccf/annotation/ccf_2017/structure_masks/"
    "structure_masks_25/structure_12.nrrd": at.structure_mask(12, 25),
    f"{API}/api/v2/image_to_atlas/114754496.json?x=18232.000000&y=10704.000000&atlas_id=1":
        at.image_to_atlas(114754496, 18232, 10704, 1),
    f"{API}/api/v2/data/Structure.json": schema_url("Structure"),
    f"{API}/api/v2/data.xml": schema_url(fmt="xml"),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "built"), GOLDEN.items())
def test_addresses_are_the_references(expected, built):
    assert built == expected


def test_an_address_is_encoded_as_the_reference_does():
    text = encoded("http://h/q?q=model::A,[name$li'*Mouse (x)*'],b;c@d+e&f$g")
    assert text == "http://h/q?q=model::A,%5Bname$li%27%2AMouse%20%28x%29%2A%27%5D,b;c@d+e&f$g"  # API-003


def test_the_base_address_moves_everything_but_the_archive():
    moved = [at.well_known_file(1, "http://h"), at.svg(1, api="http://h"), query_url("model::A", api="http://h")]
    assert all(url.startswith("http://h/api/v2/") for url in moved)
    assert at.template_volume(25).startswith("http://download.alleninstitute.org/informatics-archive/")
    assert len(at.ENDPOINTS) == 24


def test_options_stand_in_a_fixed_order():
    said = Options("a", ["b", "c"], "d", "all", 3, ["e", "f"], "preview", True)
    assert str(said) == (
        "rma::options[only$eqa][except$eqb,c][tabular$eqd][num_rows$eq'all'][start_row$eq3][order$eqe,f]"
        "[debug$eq'preview'][count$eqtrue]"
    )
    assert str(Options()) == ""
    assert (
        str(Options(num_rows=5, debug=False, count=False)) == "rma::options[num_rows$eq5][debug$eqfalse][count$eqfalse]"
    )


def test_except_has_two_names_and_both_at_once_is_told():
    assert options(excpt="tags") == Options(except_="tags")
    with pytest.warns(UserWarning, match="except is taken"):
        assert options(excpt=["b"], **{"except": ["a"]}) == Options(except_=["a"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options(excpt="a")


def test_filters_are_sorted_and_typed():
    """C-URL3; a float is written (D-04), where the reference drops it."""
    given_filters = [
        ("z", [1, 2.5]),
        ("a", True),
        ("m", None),
        ("b", 3),
        ("c", 0.5),
        ("d", np.float64(1.5)),
        ("e", "$li", "'x'"),
    ]
    assert tuple_filters(given_filters) == "[a$eqtrue][b$eq3][c$eq0.5][d$eq1.5][e$li'x'][z$eq1,2.5]"
    assert service_stage("s", [("b", 1), ("a", 2)]) == "service::s[a$eq2][b$eq1]"
    assert pipe_stage("list", [("v", "$is", quote_string("n"))]) == "pipe::list[v$is'n']"


def test_a_model_stage_joins_its_pieces_in_order():
    text = model_stage("A", ["x", "y"], "z", Options(num_rows=1), {"id": 5, "failed": False})
    assert text == "model::A[id$eq5][failed$eqfalse],rma::criteria,xy,rma::include,z,rma::options[num_rows$eq1]"


# -- canned -----------------------------------------------------------------------------------------------------------

TEMPLATES = [t for templates in GROUPS.values() for t in templates]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
@pytest.mark.parametrize("value", [5, [5, 6], None], ids=["one", "list", "none"])
def test_every_template_is_a_query_that_is_read_back(template, value):
    text = template_query(template, **dict.fromkeys(template.holes, value))
    stage = parse(text).stages[0]
    assert stage.model == template.model
    assert parse(str(parse(text))) == parse(text)
    said = "5,6" if isinstance(value, list) else str(value)
    if template.holes and value is not None:
        assert said in text
    assert "{" not in text
    assert "<" not in text


def test_a_template_is_told_nothing_it_does_not_know():
    with pytest.raises(QueryError, match="Entry structures not found"):
        template_query("structures")
    with pytest.raises(QueryError, match="it takes graph_ids"):
        template_query("structures_by_graph_ids", graph_id=1)
    assert "only" not in template_query("atlases_table", only=None)
    assert "[only$eq'a,b']" in template_query("atlases_list", only=["a", "b"])


@pytest.mark.parametrize(("name", "query"), q.CANNED.items())
def test_every_canned_query_is_read_back(name, query):
    needed = [
        p.name for p in inspect.signature(query).parameters.values() if p.default is p.empty and p.kind != p.VAR_KEYWORD
    ]
    told = {"seed_point": [6900.5, 5050, 6450], "injection_structures": "Isocortex", "row": 5}
    text = query(**dict.fromkeys(needed, 5)) if "search" not in query.__name__ else query(**told)
    text = text if isinstance(text, str) else ",".join(text)
    assert str(parse(text)) == text or parse(str(parse(text))) == parse(text), name


@pytest.mark.parametrize("is_injection", [None, False, True])
@pytest.mark.parametrize("hemispheres", [None, [1], [1, 2]])
def test_unionizes_by_injection_and_hemisphere(is_injection, hemispheres):
    within = {None: "", False: "[is_injection$eqfalse]", True: "[is_injection$eqtrue]"}[is_injection]
    sides = f"[hemisphere_id$in{','.join(map(str, hemispheres))}]" if hemispheres else ""
    expected = (
        f"model::ProjectionStructureUnionize,rma::criteria,[section_data_set_id$in5,6]{within}{sides}[structure_id$in8],"
        "rma::options[num_rows$eq'all'][count$eqfalse]"
    )
    assert q.unionizes([5, 6], is_injection, [8], hemispheres=hemispheres) == expected


def test_services_are_the_references(real_data):
    listed = json.loads(real_data("rma/connected_services_schema.json").read_text())
    assert len(SERVICES) == 30
    for name, service in listed.items():
        known = {(p["name"], bool(p.get("optional"))) for p in service["parameters"]}
        ours = {(p.name, p.is_optional) for p in SERVICES[name]}
        # the reference's list lacks the flag of one parameter that its fellows have
        assert ours - known <= {("sort_by", True)}, name
        assert {n for n, _ in ours} == {n for n, _ in known}, name


def test_a_service_needs_what_it_needs():
    with pytest.raises(QueryError, match="needs seed_point"):
        q.spatial_search()
    with pytest.raises(QueryError, match="no service 'mouse'"):
        service_query("mouse")
    assert (
        service_query("text_search", query_string="a", k="b", other=1)
        == "service::text_search[k$eqb][query_string$eqa]"
    )


def test_annotation_searches():
    url = at.annotated_data_sets([112763676], ["High", "Low"], ages=["E11.5"])
    assert (
        url
        == f"{API}/api/v2/annotated_section_data_sets.json?structures=112763676&intensity_values='High','Low'&age_names='E11.5'"
    )
    groups = [{"structures": [1], "intensity_values": ["High", "Low"]}, {"structures": [2], "density_values": ["Low"]}]
    compound = at.compound_annotated_data_sets(groups, ["or"])
    assert compound.endswith(  # each list its own (D-28)
        "?query=[structures $in 1 : intensity_values $in 'High','Low'] or [structures $in 2 : density_values $in 'Low']"
    )


def test_images_have_the_references_parameters():
    assert at.image(1, "atlas", annotation=True, atlas=5).endswith("/atlas_image_download/1?annotation=true&atlas=5")
    assert at.image(1, "projection", colormap=(100, "expression")).endswith("?colormap=0.5,100,0,256,4")
    assert at.image(1, projection=1).endswith("?projection=false")  # for exactly True
    with pytest.raises(QueryError, match="view 'front'"):
        at.image(1, view="front")
    with pytest.raises(QueryError, match="no parameter zoom"):
        at.image(1, zoom=2)


@pytest.mark.parametrize("um", at.RESOLUTIONS_UM)
@pytest.mark.parametrize("version", at.CCF_VERSIONS)
def test_volumes_of_every_version_and_size(um, version):
    base = "http://download.alleninstitute.org/informatics-archive/current-release/mouse_ccf"
    assert at.annotation_volume(um, version) == f"{base}/annotation/{version}/annotation_{um}.nrrd"
    assert at.template_volume(um) == f"{base}/average_template/average_template_{um}.nrrd"
    assert at.nissl_volume(um) == f"{base}/ara_nissl/ara_nissl_{um}.nrrd"
    assert at.structure_mesh(8, version) == f"{base}/annotation/{version}/structure_meshes/8.obj"


# -- the grammar ------------------------------------------------------------------------------------------------------


def test_a_query_says_what_it_says():
    text = (
        "criteria=model::Atlas[id$eq1], [name$li'*Mouse*'][failed], structure_graph(attribute::ontology[x$ne nil])[y$in1,'b c'],"
        "rma::include,graphic_group_labels,rma::options,[num_rows$eq'all'][order$eqa.b$desc], pipe::list[v$is'id'],"
        "model::AtlasImage,rma::criteria,[atlas_id$eq$v]"
    )
    atlas, pipe, images = parse(text).stages
    assert atlas == ModelStage(
        "Atlas",
        (Filter(Column("id"), "eq", (Bare("1"),)),),
        (
            Item((Filter(Column("name"), "li", (Quoted("*Mouse*"),)), Filter(Column("failed")))),
            Item((), Path("structure_graph", (Filter(Column("y"), "in", (Bare("1"), Quoted("b c"))),),
                          (Path("ontology", (Filter(Column("x"), "ne", (Bare("nil"),)),)),))),
        ),
        (Item((), Path("graphic_group_labels")),),
        (Filter(Column("num_rows"), "eq", (Quoted("all"),)), Filter(Column("order"), "eq", (Bare("a.b$desc"),))),
    )  # fmt: skip
    assert pipe == PipeStage("list", (Filter(Column("v"), "is", (Quoted("id"),)),))
    assert images.root_filters == (Filter(Column("atlas_id"), "eq", (Variable("v"),)),)


def test_values_say_what_they_are():
    one, real, nil, column, text = (parse(f"model::A,[x$eq{v}]").stages[0].root_filters[0].values[0]
                                    for v in ("1", "-2.5e3", "nil", "a.b", "'a+b%20c'"))  # fmt: skip
    assert (one.number, real.number, nil.is_nil, column.column) == (1, -2500.0, True, Column("b", "a"))
    assert text.words == "a b c"
    assert column.number is None


def test_the_later_of_two_options_counts():
    stage = parse("model::A,rma::options[num_rows$eq5],rma::options[num_rows$eq7]").stages[0]
    assert stage.option("num_rows") == (Bare("7"),)
    assert stage.option("order") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "character 1: expected model::, service:: or pipe::, but it ends"),
        ("model::A,[x$eq'a]", "character 15: expected a text that ends with '"),
        ("model::A,b(c", "expected a comma or )"),
        ("model::A,[x$zz1]", "expected an operator"),
        ("model::A,[x$eq1", "expected ]"),
        ("model::A,rma::foo", "expected rma::criteria, rma::include or rma::options"),
        ("model::A b", "expected a comma or the end"),
        ("pipe::eat[x$eq1]", "no pipe 'eat'"),
        ("model::A," + "a(" * 100, "nest deeper"),
        ("model::A," + "x" * (1 << 20), "at most"),
    ],
)
def test_what_is_no_query_is_told_where(text, said):
    with pytest.raises(QueryError) as error:
        parse(text)
    assert said in str(error.value)


CHARS = "abzAZ_09 .+-'\",;()[]$é%\\n"


class Writer:
    """Writes random queries of the whole grammar."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, make, least=0, most=3):
        return tuple(make() for _ in range(self.random.randint(least, most)))

    def name(self):
        letters = [
            self.random.choice("abcxyzModelrma_"),
            *self.random.choices("abcXYZ_019", k=self.random.randint(0, 5)),
        ]
        return "".join(letters)

    def value(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return Quoted("".join(self.random.choices(CHARS, k=self.random.randint(0, 10))))
        if kind == 1:
            return Variable(self.name())
        if kind == 2:
            return Bare(
                self.random.choice(["1", "-2.5", "nil", "true", "a.b", "a.b$desc", "x+as+y", "two words", "é(1)"])
            )
        return Bare(self.name())

    def filter(self):
        column = Column(self.name(), self.random.choice([None, self.name()]))
        operator = self.random.choice([None, *OPERATORS])
        return Filter(column, operator, self.some(self.value, 1) if operator else ())

    def path(self, depth=1):
        children = self.some(lambda: self.path(depth + 1), most=2) if depth < 5 else ()
        return Path(self.name(), self.some(self.filter), children)

    def item(self):
        filters = self.some(self.filter)
        return Item(filters, self.path() if not filters or self.random.random() < 0.5 else None)

    def stage(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return ServiceStage(self.name(), self.some(self.filter))
        if kind == 1:
            return PipeStage(self.random.choice(["list", "replace", "split"]), self.some(self.filter))
        items = (self.some(self.item), self.some(self.item))
        return ModelStage(self.name(), self.some(self.filter), *items, self.some(self.filter))

    def query(self):
        return Query(self.some(self.stage, 1))


def test_what_is_written_is_read_back():
    writer = Writer(5)
    for _ in range(1_000):
        query = writer.query()
        assert parse(str(query)) == query


@given(st.text(st.sampled_from("model::A,[]()$eqin'\"x1. rma::criteria,pipe::list\u00e9"), max_size=60))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_is_a_query_or_one_error(text):
    try:
        found = parse(text)
    except QueryError:
        return
    assert parse(str(found)) == found


# -- the builder ------------------------------------------------------------------------------------------------------


def test_a_query_is_written_in_python():
    query = (
        model("SectionDataSet")
        .where(failed=False, weight__gt=0.5)
        .where("products", id=[5, 31])
        .where("specimen.donor", name__li="*O'Brien*")
        .include("specimen(donor(age))", "equalization")
        .only("id", "specimens.name")
        .order_by("id$desc")
        .rows(10, start=20)
        .count(False)
    )
    assert str(query) == (
        "model::SectionDataSet,rma::criteria,[failed$eqfalse][weight$gt0.5],products[id$in5,31],"
        "specimen(donor[name$li'*O''Brien*']),rma::include,specimen(donor(age)),equalization,"
        "rma::options[only$eqid,specimens.name][order$eqid$desc][num_rows$eq10][start_row$eq20][count$eqfalse]"
    )
    assert parse(str(query)) == query.query


def test_absence_and_presence():
    assert str(model("A").where(x=None, y__known=True, a__b=1)) == "model::A,rma::criteria,[x$isnull][y][a__b$eq1]"


@pytest.mark.parametrize("value", ["'],rma::options[num_rows$eq'all'", "a]b", "$var", "x','y"])
def test_a_text_stays_a_text(value):
    """Whatever people search for, it cannot become a part of the query."""
    filters = model("A").where(name=value).query.stages[0].root_filters
    assert parse(str(model("A").where(name=value))).stages[0].root_filters == filters
    assert filters[0].values == (Quoted(value),)


@pytest.mark.parametrize("name", ["A,[x$eq1]", "A[x]", "", "1"])
def test_a_model_is_a_name(name):
    with pytest.raises(QueryError):
        model(name)


def test_an_include_is_a_list_of_associations_alone():
    with pytest.raises(QueryError):
        model("A").include("b,rma::options[num_rows$eq1]")
    with pytest.raises(QueryError, match="empty list"):
        model("A").where(id=[])
