"""The columns of a row that say which episode it is and how it ended."""

from enum import StrEnum

from codegym_harness.export.export_format import ColumnType, Format, Row
from codegym_harness.records.episode_result import EpisodeResult
from codegym_mcp.errors import CodegymError

METADATA_COLUMNS: dict[str, ColumnType] = {
    "key": "text",
    "environment": "text",
    "task": "text",
    "difficulty": "integer",
    "seed": "integer",
    "reward": "number",
    "outcome": "text",
}
"""The names and types of the metadata columns. They are part of the public API."""


class MetadataChoice(StrEnum):
    """Whether rows have the metadata columns."""

    AUTO = "auto"
    """If readers of the format ignore further columns."""
    COLUMNS = "columns"
    NONE = "none"


def metadata_columns(name: str, format: Format, choice: MetadataChoice) -> dict[str, ColumnType]:
    """Returns the metadata columns of an export.

    Args:
        name: the name of the format.

    Raises:
        CodegymError: the columns are requested for a format whose rows have members of the same names.
    """
    if choice is MetadataChoice.COLUMNS and METADATA_COLUMNS.keys() & format.columns.keys():
        raise CodegymError(f"Rows of the format {name} have columns of these names.")
    if choice is MetadataChoice.COLUMNS and "extra" in format.columns:
        raise CodegymError(
            f"Rows of the format {name} hold the metadata in `extra` already.", hint="Leave --metadata out."
        )
    wanted = choice is MetadataChoice.COLUMNS or (choice is MetadataChoice.AUTO and format.takes_metadata)
    return METADATA_COLUMNS if wanted else {}


def metadata(result: EpisodeResult) -> Row:
    """Returns the values of the metadata columns."""
    return {
        "key": result.key,
        "environment": result.environment,
        "task": result.task,
        "difficulty": result.difficulty,
        "seed": result.seed,
        "reward": result.reward,
        "outcome": str(result.outcome),
    }
