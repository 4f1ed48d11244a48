"""Runs the tests on every Python from 3.11 on that is installed: `python tests/every_python.py [--newest] [TESTS…]`.

Interpreters are looked for on the PATH and among pyenv's. Each version has a virtual environment of its own,
`.venv-3.x`, beside the sources. `--newest-environment FOLDER` only makes a virtual environment of the newest one. The exit code is 0 if the tests pass on all of them.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLDEST = (3, 11)
_TELL = "import sys; print('%d.%d' % sys.version_info[:2])"


def interpreters() -> dict[tuple[int, int], str]:
    """Returns an interpreter for each installed version, the oldest version first."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        sys.executable,
        *(shutil.which(f"python3.{minor}") or "" for minor in range(OLDEST[1], 20)),
        *(str(path) for path in sorted(pyenv.glob("3.*/bin/python"))),
    ]
    found: dict[tuple[int, int], str] = {}
    for candidate in filter(None, candidates):
        told = subprocess.run([candidate, "-c", _TELL], capture_output=True, text=True, check=False)
        version = re.fullmatch(r"(\d+)\.(\d+)\n", told.stdout)
        if told.returncode == 0 and version is not None:
            key = (int(version[1]), int(version[2]))
            if key >= OLDEST:
                found.setdefault(key, candidate)
    return dict(sorted(found.items()))


def prepare(version: tuple[int, int], interpreter: str) -> Path:
    """Makes the virtual environment of a version; returns its interpreter."""
    folder = ROOT / f".venv-{version[0]}.{version[1]}"
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if not done.exists() or done.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--upgrade", "pip"], check=True)
        subprocess.run([*pip, "--editable", ".", "--group", "test"], cwd=ROOT, check=True)
        done.touch()
    return python


def main(arguments: list[str]) -> int:
    """Runs the tests; returns the exit code."""
    found = interpreters()
    if "--newest-environment" in arguments:
        newest = found[max(found)]
        return subprocess.run([newest, "-m", "venv", arguments[-1]], check=False).returncode
    if "--newest" in arguments:
        arguments = [each for each in arguments if each != "--newest"]
        found = dict([max(found.items())])
    failed = []
    for version, interpreter in found.items():
        print(f"Python {version[0]}.{version[1]}: {interpreter}", flush=True)
        python = prepare(version, interpreter)
        if subprocess.run(
            [str(python), "-m", "pytest", "-n", "auto", "--dist", "worksteal", *arguments],
            cwd=ROOT,
            check=False,
        ).returncode:
            failed.append(f"{version[0]}.{version[1]}")
    print(f"Failed on: {', '.join(failed)}" if failed else f"Passed on {len(found)} versions of Python.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
