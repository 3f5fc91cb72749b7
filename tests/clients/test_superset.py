"""Apache Superset: a database, a dataset and a chart on ``ecephys.units``, by its own REST interface.

Superset lives in an environment of its own, named by ``$BRAINLAKE_SUPERSET_PYTHON``:
``pip install apache-superset==6.1.0 psycopg2-binary rich cachetools boto3 cachelib==0.13.0 'flask-caching<2.4'``.
Where that has playwright as well and a Chromium is at hand, the chart is drawn into ``$BRAINLAKE_PICTURES``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brainlake
import pytest
import requests
from brainlake.lake.serve.postgres.server import SETTINGS, Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.lake.serve.users import Users, Verifier
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.served import PASSWORD, USER

PYTHON = os.environ.get("BRAINLAKE_SUPERSET_PYTHON", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="needs Superset: $BRAINLAKE_SUPERSET_PYTHON names its Python"),
]
ADMIN = ("admin", secrets.token_urlsafe(12))
CONFIGURATION = """
SECRET_KEY = {key!r}
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""
PICTURE = """
import sys
from playwright.sync_api import sync_playwright
chromium, address, name, password, chart, path = sys.argv[1:]
with sync_playwright() as playwright:
    page = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page(
        viewport={"width": 1400, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(f"{address}/login/")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector("text=Dashboards")
    page.goto(f"{address}/explore/?slice_id={chart}")
    page.wait_for_selector("canvas")
    page.wait_for_timeout(3000)
    page.screenshot(path=path)
"""


class Superset:
    """A running Superset, and its REST interface as its administrator."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._session = requests.Session()
        name, password = ADMIN
        login = {"username": name, "password": password, "provider": "db", "refresh": True}
        token = self.post("security/login", login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._told(self._session.post(f"{self.address}/api/v1/{path}", json=body, timeout=120))

    def get(self, path: str) -> dict[str, Any]:
        return self._told(self._session.get(f"{self.address}/api/v1/{path}", timeout=120))

    @staticmethod
    def _told(answer: requests.Response) -> dict[str, Any]:
        assert answer.ok, answer.text[:2000]
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[brainlake.Lake, int]]:
    """A lake of one session, and the port that it is served at."""
    folder = tmp_path_factory.mktemp("bi")
    make_session(folder / "session.nwb")
    with brainlake.create(folder / "lake") as made:
        made.ingest(folder / "session.nwb").raise_failed()
    users = Users({USER: Verifier.of(PASSWORD)})
    with (
        Snapshots(folder / "lake", settings=SETTINGS) as snapshots,
        Server(snapshots, port=0, users=users) as server,
        brainlake.open(folder / "lake") as opened,
    ):
        server.start()
        yield opened, server.port


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    (folder / "superset_config.py").write_text(CONFIGURATION.format(key=secrets.token_urlsafe(32), folder=folder))
    environment = {
        **os.environ, "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"), "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset",
    }  # fmt: skip
    command = [PYTHON, "-c", "from superset.cli.main import superset; superset()"]
    name, password = ADMIN
    made = ["--username", name, "--password", password, "--firstname", "a", "--lastname", "b", "--email", "a@b.example"]
    for arguments in (["db", "upgrade"], ["fab", "create-admin", *made], ["init"]):
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=300)
        assert not done.returncode, done.stderr[-2000:]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        running = subprocess.Popen([*command, "run", "-p", str(port)], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(120):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{address}/health", timeout=5).ok:
                    break
            time.sleep(1)
        yield Superset(address)
    finally:
        running.terminate()
        running.wait(30)


def test_a_database_a_dataset_and_a_chart_of_units(lake: tuple[brainlake.Lake, int], superset: Superset) -> None:
    here, port = lake
    address = f"postgresql+psycopg2://{USER}:{quote(PASSWORD)}@127.0.0.1:{port}/lake"
    database = superset.post("database/", {"database_name": "lake", "sqlalchemy_uri": address})["id"]
    assert "ecephys" in superset.get(f"database/{database}/schemas/")["result"]
    listed = superset.get(f"database/{database}/tables/?q=(schema_name:ecephys)")["result"]
    assert {"units", "good_units", "stimulus_presentations"} <= {one["value"] for one in listed}

    # A dataset has the columns of the relation, with their descriptions.
    dataset = superset.post("dataset/", {"database": database, "schema": "ecephys", "table_name": "units"})
    columns = {one["column_name"]: one for one in superset.get(f"dataset/{dataset['id']}")["result"]["columns"]}
    assert list(columns) == here.sql("from ecephys.units limit 0").arrow().column_names
    assert columns["session_id"]["type"] == "BIGINT"
    assert "session" in columns["session_id"]["description"]

    # A chart counts what the lake counts.
    metric = {"expressionType": "SQL", "sqlExpression": "count(*)", "label": "units"}
    source = {"id": dataset["id"], "type": "table"}
    form = {
        "datasource": f"{dataset['id']}__table", "viz_type": "pie", "groupby": ["structure_acronym"], "metric": metric,
        "row_limit": 100, "sort_by_metric": True, "label_type": "key_value",
    }  # fmt: skip
    query = {"columns": ["structure_acronym"], "metrics": [metric], "orderby": [[metric, False]], "row_limit": 100}
    context = {
        "datasource": source, "force": True, "queries": [query], "form_data": form, "result_format": "json",
        "result_type": "full",
    }  # fmt: skip
    described = {
        "slice_name": "units by area", "viz_type": "pie", "datasource_id": dataset["id"], "datasource_type": "table",
        "params": json.dumps(form), "query_context": json.dumps(context),
    }  # fmt: skip
    chart = superset.post("chart/", described)["id"]
    (drawn,) = superset.post("chart/data", context)["result"]
    expected = here.sql("select structure_acronym, count(*) from ecephys.units group by all").pl().rows()
    assert {(row["structure_acronym"], row["units"]) for row in drawn["data"]} == set(expected)

    # Its console of SQL asks in the lake's own words.
    asked = {
        "database_id": database, "schema": "ecephys", "client_id": secrets.token_hex(5), "runAsync": False,
        "sql": "select structure_acronym, median(firing_rate) as rate from ecephys.good_units group by all order by all",
    }  # fmt: skip
    told = superset.post("sqllab/execute/", asked)["data"]
    median = here.sql(asked["sql"]).pl().rows()
    assert [(row["structure_acronym"], row["rate"]) for row in told] == [(a, pytest.approx(r)) for a, r in median]
    _draw(superset, chart)


def _draw(superset: Superset, chart: int) -> None:
    folder, chromium = os.environ.get("BRAINLAKE_PICTURES"), shutil.which("chromium")
    if not folder or not chromium:
        return
    path = Path(folder) / "superset.png"
    arguments = [chromium, superset.address, *ADMIN, str(chart), str(path)]
    subprocess.run([PYTHON, "-c", PICTURE, *arguments], check=True, timeout=180)
    assert path.stat().st_size > 10_000
