"""Queries of the index: lists of episodes with filters, and the values of the filters."""

import re
import sqlite3
from typing import Any, NamedTuple

from codegym_harness.run_viewer.episode_index import StoredTags
from codegym_mcp.episode_viewer.episode_views import (
    EpisodeListQuery,
    EpisodeRow,
    Facets,
    FacetValue,
    OtherAttempt,
    SortField,
)
from codegym_mcp.errors import NotFoundError

DEFAULT_SORT = SortField.ENVIRONMENT
_WORD = re.compile(r"[^\W_]+")
_FACETS_SHOWN = 500
_FIELDS = [name for name in EpisodeRow.model_fields if name != "tags"]
_SELECTED = ", ".join([*_FIELDS, "tags"])
# Environments that sort alike keep the order of their tasks.
_ORDER = {
    SortField.RECORDED: "number",
    SortField.ENVIRONMENT: "environment {0}, task {0}, epoch",
    **{
        field: f"{field} {{0}} NULLS LAST, number"
        for field in SortField
        if field not in ("recorded", "environment")
    },
}


class StoredEpisode(NamedTuple):
    """An episode and where its trajectory stands."""

    row: EpisodeRow
    file: str
    offset: int
    length: int


def find_episode(connection: sqlite3.Connection, id: str) -> StoredEpisode:
    """Returns an episode by its id.

    Raises:
        NotFoundError: the index has no such episode.
    """
    query = f"SELECT {_SELECTED}, file, offset, length FROM episodes WHERE id = ?"
    row = connection.execute(query, (id,)).fetchone()
    if row is None:
        raise NotFoundError("episode", id)
    return StoredEpisode(_row(row), row["file"], row["offset"], row["length"])


def list_episodes(connection: sqlite3.Connection, query: EpisodeListQuery) -> tuple[list[EpisodeRow], int]:
    """Returns a part of the episodes that pass the filters, and the number of all that do."""
    where, values = _conditions(query)
    order = _ORDER[query.sort or DEFAULT_SORT]
    direction = "DESC" if query.descending else "ASC"
    order = order.format(direction) if "{0}" in order else f"{order} {direction}"
    (total,) = connection.execute(f"SELECT count(*) FROM episodes WHERE {where}", values).fetchone()
    rows = connection.execute(
        f"SELECT {_SELECTED} FROM episodes WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        (*values, query.limit, query.offset),
    )
    return [_row(row) for row in rows], total


def count_facets(connection: sqlite3.Connection, *, searchable: bool) -> Facets:
    """Returns the values of the filters, the most frequent first."""
    facets = Facets(searchable=searchable)
    for column in ("environment", "outcome", "difficulty", "agent", "ended"):
        rows = connection.execute(
            f"SELECT {column}, count(*) AS n FROM episodes WHERE NOT superseded AND {column} IS NOT NULL "
            f"GROUP BY {column} ORDER BY n DESC, {column} LIMIT {_FACETS_SHOWN}"
        )
        values = [FacetValue(value=str(value), count=count) for value, count in rows if value != ""]
        setattr(facets, column, values)
    rows = connection.execute(
        "SELECT tag, count(*) AS n FROM tags JOIN episodes ON number = episode WHERE NOT superseded "
        f"GROUP BY tag ORDER BY n DESC, tag LIMIT {_FACETS_SHOWN}"
    )
    facets.tag = [FacetValue(value=tag, count=count) for tag, count in rows]
    return facets


def attempts_at(
    connection: sqlite3.Connection, environment: str, task: str, *, run: str, run_name: str
) -> list[OtherAttempt]:
    """Returns the episodes of a task."""
    rows = connection.execute(
        "SELECT id, agent, outcome, reward, epoch, calls FROM episodes "
        "WHERE environment = ? AND task = ? ORDER BY number LIMIT 200",
        (environment, task),
    )
    return [OtherAttempt(run=run, run_name=run_name, **dict(row)) for row in rows]


def _conditions(query: EpisodeListQuery) -> tuple[str, list[Any]]:
    parts, values = ["1"], list[Any]()
    for column, wanted in (
        ("environment", query.environment),
        ("outcome", query.outcome),
        ("difficulty", query.difficulty),
        ("agent", query.agent),
        ("ended", query.ended),
    ):
        if wanted:
            parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    if query.tag:
        parts.append(f"number IN (SELECT episode FROM tags WHERE tag IN ({', '.join('?' * len(query.tag))}))")
        values += query.tag
    for comparison, bound in ((">=", query.min_reward), ("<=", query.max_reward)):
        if bound is not None:
            parts.append(f"reward {comparison} ?")
            values.append(bound)
    if query.failures:
        parts.append("(outcome NOT IN ('correct', 'unscored') OR reward < 1)")
    if not query.superseded:
        parts.append("NOT superseded")
    words = _WORD.findall(query.search)
    if words:
        parts.append("number IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
        values.append(" ".join(f'"{word}"*' for word in words))
    return " AND ".join(parts), values


def _row(row: sqlite3.Row) -> EpisodeRow:
    tags = StoredTags.model_validate_json(row["tags"]).tags
    return EpisodeRow(**{name: row[name] for name in _FIELDS}, tags=tags)
