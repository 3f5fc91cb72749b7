"""What people install is what is here: wheel, imports, layers, speed of the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("lake", "ingest", "views", "udfs", "tests/fixtures")
NOT_LOADED_BY_IMPORT = (
    "pynwb",
    "hdmf",
    "matplotlib",
    "pandas",
    "xarray",
    "pynapple",
    "numba",
    "scipy",
    "duckdb",
    "polars",
)
NOT_LOADED_BY_A_QUERY = (
    "pynwb",
    "hdmf",
    "matplotlib",
    "pandas",
    "scipy",
    "textual",
    "harlequin",
    "xarray",
    "pynapple",
    "h5py",
    "fsspec",
    "requests",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves traces in its source."""
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("building needs setuptools 77 or newer in the environment")
    work = tmp_path_factory.mktemp("wheel")
    copy = work / "brainlake"
    copy.mkdir()
    for name in ("__init__.py", "__main__.py", "version.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        str(copy),
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(work),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(work.glob("*.whl"))


def test_the_wheel_holds_every_module_and_every_view(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = [p for folder in SHIPPED for suffix in ("py", "sql") for p in (ROOT / folder).rglob(f"*.{suffix}")]
    missing = {f"brainlake/{p.relative_to(ROOT)}" for p in shipped} - held
    assert not missing
    assert any(name.endswith(".sql") for name in held)
    assert not any(name.startswith("brainlake/tests/lake") for name in held)


def test_an_installed_wheel_answers(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import brainlake; assert brainlake.__file__.startswith({site!r}), brainlake.__file__\n"
        "lake = brainlake.create({lake!r})\n"
        "print(lake.sql('select count(*) as n from ecephys.good_units').one().n)\n"
        "lake.close()"
    ).format(site=str(site), lake=str(tmp_path / "lake"))
    done = _python(code, {"PYTHONPATH": str(site)}, tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


def test_the_version_is_said_once() -> None:
    import brainlake

    assert metadata.version("brainlake") == brainlake.__version__


def test_import_brainlake_is_light() -> None:
    loaded = _modules("import brainlake")
    assert not loaded & set(NOT_LOADED_BY_IMPORT)


def test_the_command_loads_no_reader_to_answer_a_question(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    loaded = _modules(
        f"from brainlake.lake.cli import run; assert run(['--lake', {str(lake)!r}, 'create']) == 0;"
        f"assert run(['--lake', {str(lake)!r}, 'sql', 'select 1 as one']) == 0"
    )
    assert not loaded & set(NOT_LOADED_BY_A_QUERY)


def test_nothing_in_the_checkout_knows_a_machine(tmp_path: Path) -> None:
    """Paths of somebody's disk do not belong into a project."""
    names = ("/home/", "/work/", "/root/", "/Users/")
    files = [p for pattern in ("*.py", "*.sql", "*.md", "*.toml") for p in ROOT.rglob(pattern)]
    own = [p for p in files if not {".venv", "build", ".git"} & set(p.relative_to(ROOT).parts) and p != Path(__file__)]
    assert [str(p) for p in own if any(name in p.read_text(encoding="utf-8") for name in names)] == []


def _python(code: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=cwd
    )


def _modules(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after the code."""
    done = _python(f"import sys\n{code}\nprint('loaded:', *sorted({{m.partition('.')[0] for m in sys.modules}}))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())
