"""The paths that hold answers, which an agent program must not read."""

from collections.abc import Sequence
from pathlib import Path

from codegym_harness.runs.run_directory_reader import RUNS
from codegym_mcp.catalog.catalog_entries import source_paths
from codegym_mcp.storage.cache_directory import cache_directory


def answer_paths(paths: Sequence[Path]) -> list[Path]:
    """Returns the paths of environments, their tasks and audits, of cached results, and of runs.

    Args:
        paths: files, folders and sets of environments; the bundled environments if empty.
    """
    sources = source_paths(paths)
    files = [path for path in sources if path.suffix]
    beside = [path.with_suffix(suffix) for path in files for suffix in (".jsonl", ".audit.json", ".audits")]
    return [*sources, *beside, cache_directory(), RUNS]
