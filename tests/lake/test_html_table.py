"""What a notebook shows of an answer: read back by an HTML parser, as a browser would."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import brainlake
import polars as pl
import pytest
from brainlake.lake.facade import Lake
from brainlake.lake.relation import Relation


class Page(HTMLParser):
    """The elements of a page, the texts of its table's cells, and what it says below."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.titles: list[str] = []
        self.cells: list[str] = []
        self.rest = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.titles += [value or "" for name, value in attrs if name == "title"]
        if tag in ("th", "td"):
            self.cells.append("")
        if tag == "br":
            self.cells[-1] += "|"
        else:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "th" in self._open or "td" in self._open:
            self.cells[-1] += data
        else:
            self.rest += data


def shown(relation: Relation) -> Page:
    return Page(relation._repr_html_())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with brainlake.create(tmp_path_factory.mktemp("html") / "lake") as made:
        yield made


def test_a_header_tells_name_unit_and_type(lake: Lake) -> None:
    page = shown(lake.sql("select size_bytes, role from lake.holdings"))
    assert page.cells == ["size_bytes [byte]|BIGINT", "role|VARCHAR"]
    assert page.rest == "0 rows × 2 columns"


def test_values_are_those_of_the_answer_in_its_order(lake: Lake) -> None:
    frame = pl.DataFrame({"x": [2.5, None, float("nan")], "name": ["a", "b", None], "many": [[1], [1, 2, 3, 4], []]})
    page = shown(lake.sql("select x, name, many from mine", tables={"mine": frame}))
    assert page.cells[3:] == ["2.5", "a", "[1]", "—", "b", "[1, 2, 3, …] (4)", "nan", "—", "[]"]
    assert page.rest == "3 rows × 3 columns"


@pytest.mark.parametrize(
    ("n", "rows", "said"), [(1, 1, "1 row"), (20, 20, "20 rows"), (21, 20, "first 20 rows of more")]
)
def test_rows_are_bounded_and_the_reader_is_told(lake: Lake, n: int, rows: int, said: str) -> None:
    page = shown(lake.sql("select range as i from range(?)", params=[n]))
    assert page.cells[1:] == [str(i) for i in range(rows)]
    assert page.rest == f"{said} × 1 column"


def test_an_answer_without_end_is_shown_at_once(lake: Lake) -> None:
    page = shown(lake.sql("select a.range as i from range(1000000) as a, range(1000000)"))
    assert len(page.cells) == 21


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</td></tr></table><img src=x onerror=alert(1)>",
        '" onmouseover="alert(1)',
        "&lt;b&gt; $x$ &amp;",
    ],
)
def test_what_is_shown_is_text_whatever_it_holds(lake: Lake, hostile: str) -> None:
    plain = shown(lake.sql("select 'x' as a"))
    quoted = hostile.replace('"', '""')
    page = shown(lake.sql(f'select ? as "{quoted}"', params=[hostile]))
    assert page.tags == plain.tags
    assert page.cells == [f"{hostile}|VARCHAR", hostile]


def test_the_name_of_a_field_is_text_also_in_a_type(lake: Lake) -> None:
    page = shown(lake.sql("""select {'"><i>': 1, 'a rather long name': 2} as s"""))
    assert "i" not in page.tags
    assert page.titles == ['STRUCT("""><i>" INTEGER, "a rather long name" INTEGER)']
    assert page.cells[0] == 's|STRUCT("""><i>" INTEGER…'


def test_texts_between_dollar_signs_are_no_formulas(lake: Lake) -> None:
    assert 'class="brainlake tex2jax_ignore mathjax_ignore"' in lake.sql("select '$a$' as x")._repr_html_()
