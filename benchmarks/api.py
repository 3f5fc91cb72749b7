"""The Atlas API over a lake: translated queries beside the same SQL by hand, served requests, a long answer, ingest.

The peer of a query is the very statement it becomes, run by DuckDB: what is left is reading and translating the query.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import brainlake
import requests
from brainlake.ingest.rma_grammar import parse
from brainlake.lake.rma import options, translate
from brainlake.lake.rma.answers import Api
from brainlake.lake.rma.tree import Tree

from .material import Material
from .measure import Row, _high_water_kb, milliseconds, seconds, within

N_RECORDS, N_STRUCTURES = 1_000_000, 1_327
QUERIES = {
    "a structure by id": "model::Structure,rma::criteria,[id$eq1000],rma::options[count$eqfalse]",
    "a hundred structures with parent and graph": "model::Structure,rma::criteria,[graph_order$lt100],rma::include,"
    "parent,graph,rma::options[num_rows$eq'all'][order$eqgraph_order][count$eqfalse]",
    "a page of 50 among 1 M records": "model::TransgenicLine,rma::criteria,[name$il'*line 77*'],"
    "rma::options[order$eqname][start_row$eq100][count$eqfalse]",
}
CLIENTS = (1, 8, 32)
REQUESTS = 640


def api(material: Material) -> list[Row]:
    root = material.directory / "api"
    answer = material.directory / "lines.json"
    if not answer.exists():
        _make_answer(answer)
    rows = []
    if not root.exists():
        spent, _ = seconds(lambda: _make(root, answer))
        rows.append(Row("records of one answer ingested", N_RECORDS / spent, "rows/s"))
    with brainlake.open(root) as lake:
        for what, query in QUERIES.items():
            rows.append(_translated(lake.api(), what, query))
    with _Served(root) as served:
        query = f"{served.url}/api/v2/data/query.json?q={QUERIES['a structure by id']}"
        rows += [Row(f"requests by {n} at once", served.rate(query, n), "requests/s") for n in CLIENTS]
        before = served.peak_mb()
        every = f"{served.url}/api/v2/data/query.json?q=model::TransgenicLine,rma::options[num_rows$eq'all']"
        spent, size = seconds(lambda: served.length(every))
        rows.append(Row(f"an answer of 1 M rows, {size / 1e6:,.0f} MB", spent, "s"))
        rows.append(within("memory that it takes of the server", served.peak_mb() - before, 300, "MB"))
    return rows


def _translated(answering: Api, what: str, text: str) -> Row:
    stage = parse(text).stages[-1]
    tree = Tree(stage, answering.told, {})  # type: ignore[arg-type]
    statement = translate.texts(tree, options.read(stage), None)  # type: ignore[arg-type]

    def by_hand() -> int:
        with answering.session.cursor(statement.sql, statement.params or None) as cursor:
            return len(cursor.sql(statement.sql, params=statement.params or None).to_arrow_table().to_pylist())

    n_rows = len(list(answering.answer(parse(text))))
    if n_rows != by_hand() or not n_rows:
        raise RuntimeError(f"{what}: the translated query gives {n_rows} rows, its statement others")
    ours = milliseconds(lambda: list(answering.answer(parse(text))), repeat=15)
    peer = milliseconds(by_hand, repeat=15)
    over = ours - peer
    return Row(what, ours, "ms", peer, "its SQL", peer / ours, "≤ 5 ms more", over <= 5)


class _Served:
    """A lake served by a process of its own."""

    def __init__(self, root: Path) -> None:
        command = [str(Path(sys.executable).with_name("brainlake")), "--lake", str(root), "serve", "rma", "--port", "0",
                   "--quiet"]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split(" at ")[1].split()[0]

    def __enter__(self) -> _Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def rate(self, address: str, n: int) -> float:
        """Requests a second by so many clients at once, each on a connection of its own."""

        def client() -> None:
            with requests.Session() as session:
                for _ in range(REQUESTS // n):
                    assert session.get(address).json()["num_rows"] == 1

        return REQUESTS / _together(client, n)

    def length(self, address: str) -> int:
        """Bytes of an answer, which is not kept."""
        with requests.get(address, stream=True) as got:
            assert got.status_code == 200, got.text[:300]
            return sum(len(block) for block in got.iter_content(1 << 20))

    def peak_mb(self) -> float:
        return _high_water_kb(self.process.pid) / 1024


def _together(run: Callable[[], None], n: int) -> float:
    threads = [threading.Thread(target=run) for _ in range(n)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def _make_answer(path: Path) -> None:
    """Records as the API gives them: a million, in one answer."""
    with path.open("w") as file:
        head = {"model": "TransgenicLine", "success": True, "id": 0, "start_row": 0, "num_rows": N_RECORDS,
                "total_rows": N_RECORDS}  # fmt: skip
        file.write(json.dumps(head)[:-1] + ', "msg": [')
        for n in range(1, N_RECORDS + 1):
            record = {"id": n, "name": f"line {n}", "transgenic_line_type_name": "driver" if n % 3 else "reporter",
                      "originating_lab": f"lab {n % 97}", "stock_number": f"{n:07d}"}  # fmt: skip
            file.write((", " if n > 1 else "") + json.dumps(record))
        file.write("]}")


def _make(root: Path, answer: Path) -> None:
    structures = root.parent / "structures.json"
    paths: dict[int, list[int]] = {}
    records = []
    for order in range(N_STRUCTURES):
        number = 1 + order
        paths[number] = [*paths.get(number // 3, []), number]
        records.append({"id": number, "acronym": f"s{number}", "name": f"structure {number}", "graph_id": 1,
                        "graph_order": order, "structure_id_path": paths[number], "rgb_triplet": [1, 2, 3],
                        "structure_set_ids": []})  # fmt: skip
    structures.write_text(json.dumps(records))
    making = root.with_suffix(".part")
    shutil.rmtree(making, ignore_errors=True)
    with brainlake.create(making) as lake:
        lake.ingest([structures, answer], jobs=1).raise_failed()
    making.rename(root)
