"""Gathers the files of the desktop bundle: `python packaging/mcpb/build_bundle.py FOLDER`.

The bundle holds the sources, since its runtime installs the project and its dependencies with uv.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INCLUDED = ("codegym_mcp", "environments", "harness", "pyproject.toml", "README.md", "LICENSE")


_GROUPS = re.compile(
    r"(?:^#[^\n]*\n)*^\[(?:dependency-groups|tool\.uv[\w.-]*)\]\n.*?(?=^(?:#[^\n]*\n)*\[)",
    re.MULTILINE | re.DOTALL,
)
"""The tables of the groups for development, each with the comment before it."""


def main(folder: Path) -> None:
    """Fills a new folder with the bundle's files."""
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *INCLUDED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    project = folder / "pyproject.toml"
    # Whoever plays needs no group, and uv would resolve all of them.
    project.write_text(_GROUPS.sub("", project.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copyfile(ROOT / "packaging/mcpb/manifest.json", folder / "manifest.json")
    (folder / "server").mkdir()
    shutil.copyfile(ROOT / "packaging/mcpb/server/main.py", folder / "server" / "main.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
