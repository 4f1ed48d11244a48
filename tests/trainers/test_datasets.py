"""`datasets`, by which all trainers read, finds what was written, whatever it is."""

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.export import export
from codegym_harness.export.export_metadata import MetadataChoice, metadata, metadata_columns
from codegym_harness.export.format_registry import FORMATS
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.conversations import trajectories
from tests.made_runs import Configuration
from tests.trainers.reading import load

pytestmark = pytest.mark.trainers


def alike(found, written):
    """Whether both are the same but for digits of decimals: `datasets` reads about ten."""
    if isinstance(written, float):
        return math.isclose(found, written, rel_tol=1e-9, abs_tol=1e-10)
    if isinstance(written, dict):
        return found.keys() == written.keys() and all(alike(found[key], written[key]) for key in written)
    if isinstance(written, list):
        return len(found) == len(written) and all(map(alike, found, written))
    return type(found) is type(written) and found == written


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.lists(trajectories, min_size=1, max_size=12))
def test_rows_are_found_as_they_were_written(name, suffix, records):
    with tempfile.TemporaryDirectory() as directory:
        run, out = Path(directory, "run"), Path(directory, f"rows.{suffix}")
        with RunDirectory.create(run, Configuration()) as recorded:
            for record in records:
                recorded.append(record)
        export([run], name, out)
        found = load(out).to_list()
    with_metadata = bool(metadata_columns(name, FORMATS[name], MetadataChoice.AUTO))
    written = [
        json.loads(
            to_json(
                FORMATS[name].row(record, LossCounts())
                | (metadata(EpisodeResult.of(record)) if with_metadata else {})
            )
        )
        for record in records
    ]
    assert alike(found, written)
