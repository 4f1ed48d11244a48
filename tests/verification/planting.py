"""The environments with planted faults."""

from pathlib import Path

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry

PLANTED = Path(__file__).parents[1] / "fixtures" / "planted"


def planted_entry(name: str) -> Entry:
    """Returns the catalog entry of an environment with a planted fault."""
    (entry,) = Catalog.load([PLANTED / f"{name}.py"]).entries
    return entry
