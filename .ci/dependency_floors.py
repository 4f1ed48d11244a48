"""Prints the lowest version of each dependency that pyproject.toml allows, as requirements for an audit."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
requirements = [*project["dependencies"]]
for extra in project["optional-dependencies"].values():
    requirements += extra
for requirement in requirements:
    name, extras, floor = re.match(r"([\w.-]+)(\[[^]]*\])?>=([\w.]+)", requirement).groups()
    print(f"{name}=={floor}")
