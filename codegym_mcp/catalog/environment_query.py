"""Queries for environments of a catalog: by name, tag, grade and text, in pages."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import NotFoundError

PAGE = 100
"""Environments of a page, unless another number is asked for."""
MAX_PAGE = 1000


class EnvironmentOrder(StrEnum):
    """How found environments are sorted."""

    CATALOG = "catalog"
    """In the order of the files, folders and sets."""
    NAME = "name"
    GRADE = "grade"
    """The best grade first, environments without a current audit last."""


class EnvironmentPage(BaseModel):
    """Some of the environments that a query finds."""

    environments: list[EnvironmentInfo]
    grades: dict[str, str]
    """The grades of those that have a current audit, by name ("A" is the best)."""
    total: int
    """How many the query finds."""
    next_offset: int | None
    """The offset of the next page, or None after the last one."""


class EnvironmentQuery(BaseModel):
    """What is searched for. Conditions that are given must all hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: tuple[str, ...] = ()
    """Globs; a name matches at least one."""
    tag: tuple[str, ...] = ()
    """Tags that the environment has."""
    grade: str | None = Field(default=None, pattern="^[A-D]$")
    """The worst grade of a current audit."""
    search: str = ""
    """A text in the name, the title or a tag, in upper or lower case."""
    order: EnvironmentOrder = EnvironmentOrder.CATALOG
    limit: int | None = Field(default=PAGE, ge=1)
    """Environments to return, at most; None for all."""
    offset: int = Field(default=0, ge=0)
    """Environments to leave out before the first."""

    def page(self, catalog: Catalog) -> EnvironmentPage:
        """Returns the environments that the query finds; none is no error."""
        try:
            found = catalog.select(*self.name, tags=self.tag, grade=self.grade, search=self.search)
        except NotFoundError:
            found = Catalog()
        names = self._sorted(found)
        end = None if self.limit is None else self.offset + self.limit
        shown = names[self.offset : end]
        grades = found.grades() if shown else {}
        return EnvironmentPage(
            environments=list(found.infos(shown)),
            grades={name: grades[name] for name in shown if name in grades},
            total=len(names),
            next_offset=end if end is not None and end < len(names) else None,
        )

    def _sorted(self, found: Catalog) -> list[str]:
        match self.order:
            case EnvironmentOrder.CATALOG:
                return found.names
            case EnvironmentOrder.NAME:
                return sorted(found.names)
            case EnvironmentOrder.GRADE:
                grades = found.grades()
                return sorted(found.names, key=lambda name: (grades.get(name, "Z"), name))


def chosen_environments(catalog: Catalog, globs: Iterable[str]) -> list[EnvironmentInfo]:
    """Returns the usable environments that match globs, or all if a glob matches none.

    The caller, who knows where a glob comes from, reports one that matches nothing, and suggests names.
    """
    try:
        return list(catalog.select(*globs).infos())
    except NotFoundError:
        return list(catalog.infos())
