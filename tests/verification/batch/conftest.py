"""Entries for the tests of this folder."""

import shutil
from pathlib import Path

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from tests.verification.planting import PLANTED

NAMES = ("clock", "unseen_order", "unused_tool")


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Returns two readable environments and a broken one, in a folder of their own."""
    folder = tmp_path / "environments"
    folder.mkdir()
    for name in NAMES:
        for file in PLANTED.glob(f"{name}.*"):
            shutil.copy(file, folder)
    return Catalog.load([folder]).entries
