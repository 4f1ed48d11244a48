"""The gallery shows the bundled environments as they are."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_gallery_is_up_to_date() -> None:
    written = runpy.run_path(str(DOCS / "build_gallery.py"))["gallery"]()
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == written, "Run: python docs/build_gallery.py"
