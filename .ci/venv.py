"""Makes .venv ready for one lock file: made when missing, filled by hash, left alone while nothing changes.

Run as `python3 .ci/venv.py requirements.txt`; needs the standard library and a package index, nothing else.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LARGER = {"requirements.txt": "requirements-dev.txt"}  # the larger lock holds all of the smaller one


def key(lock: str) -> str:
    """What .venv is made from: this place, this interpreter, this lock, this project file."""
    parts = [sys.version.encode(), os.path.realpath(sys.executable).encode(), os.fsencode(ROOT)]
    parts += [(ROOT / name).read_bytes() for name in (lock, "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp(lock: str) -> Path:
    return VENV / f".made-from-{lock}"


def ready(lock: str) -> bool:
    made = stamp(lock)
    return PYTHON.exists() and made.exists() and made.read_text() == key(lock)


def run(*command: str | Path) -> None:
    # A setting such as PIP_USER=1 would lead away from .venv. The build backend warns of every editable
    # installation, whatever it is; who types `make demo` has no use for that.
    environment = {**os.environ, "PIP_USER": "0", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(f"make: this step failed ({done.returncode}): {' '.join(map(str, command))}")


def same_interpreter() -> bool:
    if not PYTHON.exists():
        return False
    asked = [PYTHON, "-c", "import sys; print(sys.version)"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == sys.version


def make(lock: str) -> None:
    if not same_interpreter():
        print(f"make: a fresh .venv with Python {sys.version.split()[0]}", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
        if made.returncode:
            sys.exit(
                "make: no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"
            )
    for old in VENV.glob(".made-from-*"):
        old.unlink()
    print(f"make: installing {lock}", flush=True)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--no-deps", "-r", lock)
    # The build backend came with the lock, so this step asks the network for nothing.
    run(*pip, "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp(lock).write_text(key(lock))


def main() -> None:
    if not (3, 11) <= sys.version_info[:2] < (3, 15):
        sys.exit(f"Huiyin needs Python 3.11 to 3.14, not {sys.version.split()[0]}: make PYTHON=python3.12")
    lock = sys.argv[1]
    if not (ready(lock) or (lock in LARGER and ready(LARGER[lock]))):
        make(lock)


if __name__ == "__main__":
    main()
