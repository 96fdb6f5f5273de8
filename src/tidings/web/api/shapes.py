"""Shapes that several resources share: lists, problems, counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tidings.domain.campaign import Counts
from tidings.services.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from tidings.web.api.storable import check_storable

T = TypeVar("T")
Row = TypeVar("Row")

ProviderName = Annotated[str, Field(max_length=32, examples=["fcm", "apns"])]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before.")]
OnlyCheck = Annotated[bool, Query(alias="dry_run", description="Say whether it can be deleted, and delete nothing.")]
FIRST_LIMIT = DEFAULT_LIMIT


class Body(BaseModel):
    """A request's body: a field it does not know is refused by name."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: object) -> object:
        check_storable(value)
        return value


class Fault(BaseModel):
    """One wrong field."""

    field: str
    message: str


class Problem(BaseModel):
    """An error: what happened, why, and how to mend it (RFC 9457)."""

    type: str = Field(description="Link to the error's place in the reference.")
    code: str = Field(description="Stable name of the error.")
    title: str
    status: int
    detail: str = Field(description="What was wrong with this very request.")
    mend: str = Field(description="What to do about it.")
    errors: list[Fault] | None = None


class ListOf(BaseModel, Generic[T]):
    """A page of a list; `next_cursor` is null on the last one."""

    data: list[T]
    next_cursor: str | None = None


class CountsOut(BaseModel):
    """Counters of a notification. Once it is done, audience = sent + failed + expired + skipped."""

    audience: int
    sent: int
    failed: int
    expired: int
    skipped: int
    shown: int
    clicked: int
    closed: int
    answered: int


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "An error; `code` says which.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""The answers of every operation beside its own."""


def listed(page: Page[Row], out: Callable[[Row], T]) -> ListOf[T]:
    """Show a page."""
    return ListOf(data=[out(row) for row in page.data], next_cursor=page.next_cursor)


def counts_out(counts: Counts) -> CountsOut:
    """Show counters."""
    return CountsOut(
        audience=counts.audience,
        sent=counts.sent,
        failed=counts.failed,
        expired=counts.expired,
        skipped=counts.skipped,
        shown=counts.shown,
        clicked=counts.clicked,
        closed=counts.closed,
        answered=counts.answered,
    )
