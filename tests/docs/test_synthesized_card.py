"""The card of the synthesized set agrees with its environments."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_card_shows_the_synthesized_environments_as_they_are() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "build_synthesized_card.py"))["card"]()
    card = ROOT / "environments" / "synthesized" / "README.md"
    assert card.read_text(encoding="utf-8") == written, "Run: python docs/build_synthesized_card.py"
