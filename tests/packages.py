"""What `make dist` has built: looked into, and tried in an empty environment outside of the clone.

    python -m tests.packages FOLDER     the folder with one wheel and one sdist

The wheel holds the package and nothing else, the sdist every file that the repository has. Installed without extras, coopy imports, runs and has its
commands, and each part that needs an extra says which.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
GENERATED = {"PKG-INFO"}  # by the build backend
INFO = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}

DOMAIN = """
class Wiki:
    def __init__(self):
        self.pages = {}

    def create_page(self, name, text):
        self.pages[name] = text
"""
RUNS = """
from coopy import control, init_system
from wiki import Wiki

with control(init_system(Wiki, "data/wiki")) as wiki:
    wiki.create_page("Home", "Welcome")
    control(wiki).take_snapshot()
with control(init_system(Wiki, "data/wiki")) as wiki:
    assert wiki.pages == {"Home": "Welcome"}
    print(control(wiki).lsn)
"""
PRINTS = "print(__import__('importlib.metadata').metadata.version('coopy'))"
EXTRAS = {  # by extra: what needs it
    "replication": "from coopy import init_system; from wiki import Wiki; init_system(Wiki, 'data/primary', master=True, port=0)",
    "zstd": "from coopy import init_system; from wiki import Wiki; init_system(Wiki, 'data/zstd', compression='zstd')",
    "pyro": "from coopy import init_system, serve; from wiki import Wiki; serve.for_pyro(init_system(Wiki, 'data/pyro'))",
    "cluster": "from coopy import init_system; from wiki import Wiki; init_system(Wiki, 'data/node', cluster='nats://127.0.0.1:1')",
    "mypy": "import coopy.mypy_plugin",
    "prometheus": "from coopy import prometheus; prometheus.register()",
}
WITHOUT = "from coopy.testing import calls; from wiki import Wiki; calls(Wiki)"  # Hypothesis is no extra: who tests with it has it


def main(folder: Path) -> None:
    """Check both. What is wrong is an AssertionError that shows it."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    _look_into_wheel(wheel)
    _look_into_sdist(sdist)
    with tempfile.TemporaryDirectory(prefix="coopy-wheel-") as place:
        _try_wheel(wheel, Path(place))
    print(f"{wheel.name} and {sdist.name} are whole, and the wheel works where nothing else is installed.")


def _look_into_wheel(path: Path) -> None:
    """The package as it lies here, its metadata and its licence."""
    found = set(zipfile.ZipFile(path).namelist())
    info = f"{path.name.split('-py3')[0]}.dist-info"
    package = {str(one.relative_to(ROOT)) for one in (ROOT / "coopy").rglob("*") if one.is_file() and "__pycache__" not in one.parts}
    assert found == package | {f"{info}/{name}" for name in INFO}, sorted(found ^ (package | {f"{info}/{name}" for name in INFO}))
    assert {"coopy/py.typed", "coopy/catalogue.msgpack"} <= found


def _look_into_sdist(path: Path) -> None:
    """Every file of the repository. Without one, as in an unpacked sdist, what is needed to build and test."""
    top = path.name.removesuffix(".tar.gz")
    with tarfile.open(path) as archive:
        found = {one.name.removeprefix(f"{top}/") for one in archive.getmembers() if one.isfile()} - GENERATED
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        assert found == set(listed.stdout.split("\n")) - {""}, sorted(found ^ set(listed.stdout.split()))
    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "conftest.py",
        "docs/index.md",
        "examples/wiki.py",
        "pyproject.toml",
        "tests/packages.py",
    } <= found


def _try_wheel(wheel: Path, place: Path) -> None:
    """In a new environment, in an empty folder."""
    venv.create(place / "env", with_pip=True)
    python = place / "env" / "bin" / "python"
    _run([python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", wheel.resolve()], place)
    (place / "wiki.py").write_text(DOMAIN)
    assert _run([python, "-c", RUNS], place) == "1\n"
    version = _run([python, "-c", PRINTS], place).strip()
    assert version in _run([place / "env" / "bin" / "coopy", "--version"], place)
    assert "Look after the data directory" in _run([place / "env" / "bin" / "coopy", "--help"], place)
    assert "returned  create_page('Home', 'Welcome')" in _run([python, "-m", "coopy", "log", "data/wiki"], place)
    assert "--domain" in _run([python, "-m", "coopy.validate", "--help"], place)
    assert "CPY101" in _run([python, "-m", "coopy.validate", "--explain", "CPY101"], place)
    _run([python, "-m", "coopy.validate", "--domain", "wiki:Wiki", "wiki.py"], place)
    for extra, program in EXTRAS.items():
        assert f'pip install "coopy[{extra}]"' in _fails(python, program, place), extra
    assert "pip install hypothesis" in _fails(python, WITHOUT, place)
    _run([python, "-m", "pip", "--disable-pip-version-check", "check"], place)


def _run(command: list[Path | str], place: Path) -> str:
    """What it prints. It has nothing of this clone, and must not fail."""
    return subprocess.run(
        command, cwd=place, env={"PATH": "/usr/bin:/bin", "HOME": str(place)}, capture_output=True, text=True, check=True
    ).stdout


def _fails(python: Path, program: str, place: Path) -> str:
    """The last line of the error that a program ends with: one of coopy's own."""
    ran = subprocess.run([python, "-c", program], cwd=place, capture_output=True, text=True, check=False)
    last = ran.stderr.strip().rpartition("\n")[2]
    assert ran.returncode, ran.stdout
    assert last.startswith("coopy.error."), ran.stderr
    return last


if __name__ == "__main__":
    main(Path(sys.argv[1]))
