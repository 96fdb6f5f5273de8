"""What was counted by day: GET /stats, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.domain.stats import Dimension, Step
from tidings.lib.cells import safe_cell
from tidings.services.stats import OUTCOMES, Table
from tidings.web.auth import container_of, in_app

router = APIRouter(prefix="/stats", tags=["Statistics"])


class StatsCounts(BaseModel):
    """How often each thing happened."""

    sent: int = 0
    failed: int = 0
    expired: int = 0
    skipped: int = 0
    shown: int = 0
    clicked: int = 0
    closed: int = 0
    answered: int = 0


class StatsLine(StatsCounts):
    """The counts of one day, push service, browser, reason or source."""

    key: str = Field(description="The day (2026-11-26), push service, browser, reason or source.")


class StatsOut(BaseModel):
    """Counts from one day to another, both counted in; days are those of UTC."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Dimension
    data: list[StatsLine]
    totals: StatsCounts


class FunnelCounts(BaseModel):
    """How often each step on the way to a subscription was taken; nobody is told apart, so these are no people."""

    seen: int = Field(default=0, description="Visits of who may be asked.")
    banner: int = Field(default=0, description="The banner was shown.")
    later: int = Field(default=0, description="It was put away.")
    asked: int = Field(default=0, description="The browser asked.")
    granted: int = 0
    denied: int = 0
    dismissed: int = Field(default=0, description="The browser's question was closed without an answer.")
    subscribed: int = Field(default=0, description="Browsers that are new.")


class FunnelLine(FunnelCounts):
    """The steps of one day or browser."""

    key: str = Field(description="The day (2026-11-26) or browser.")


class FunnelOut(BaseModel):
    """Steps from one day to another, both counted in; days are those of UTC."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Literal["day", "browser"]
    data: list[FunnelLine]
    totals: FunnelCounts


@router.get(
    "/funnel",
    operation_id="get_funnel",
    summary="Get the opt-in funnel",
    response_model=FunnelOut,
    responses={200: {"content": {"text/csv": {}}, "description": "The counts."}},
)
async def get_funnel(
    request: Request,
    app: Annotated[App, in_app(Permission.APP_READ)],
    first: Annotated[date | None, Query(alias="from", description="The first day; absent, 30 days ago.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day; absent, today.")] = None,
    by: Annotated[Literal["day", "browser"], Query(description="What to tell apart.")] = "day",
    format: Literal["json", "csv"] = "json",
) -> Response | FunnelOut:
    """Count the way to a subscription: visits, banner, the browser's question, its answer, new browsers.

    Pages tell it without an id or a cookie, so a person who comes twice counts twice, and what a browser or a blocker
    holds back is missing.
    """
    table = await container_of(request).stats.funnel(app.id, by=Dimension(by), first=first, last=last)
    if format == "csv":
        return _file(table, f"tidings-funnel-{table.by}", tuple(Step))
    return FunnelOut(
        **{"from": table.first, "to": table.last},
        by=by,
        data=[FunnelLine(key=line.value, **line.counts) for line in table.lines],
        totals=FunnelCounts(**table.totals),
    )


@router.get(
    "",
    operation_id="get_stats",
    summary="Get counts",
    response_model=StatsOut,
    responses={200: {"content": {"text/csv": {}}, "description": "The counts."}},
)
async def get_stats(
    request: Request,
    app: Annotated[App, in_app(Permission.APP_READ)],
    first: Annotated[date | None, Query(alias="from", description="The first day; absent, 30 days ago.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day; absent, today.")] = None,
    by: Annotated[Dimension, Query(description="What to tell apart.")] = Dimension.DAY,
    notification: Annotated[
        str | None, Query(max_length=64, description="Of this notification alone, if it went to more than 100 devices.")
    ] = None,
    format: Literal["json", "csv"] = "json",
) -> Response | StatsOut:
    """Count what was sent and what became of it: exact, and quick however many deliveries there were.

    Deliveries are removed after a while; what was counted of them is kept for longer.
    """
    table = await container_of(request).stats.table(app.id, by=by, first=first, last=last, notification=notification)
    if format == "csv":
        return _file(table, f"tidings-{table.by}", OUTCOMES)
    return StatsOut(
        **{"from": table.first, "to": table.last},
        by=table.by,
        data=[StatsLine(key=line.value, **line.counts) for line in table.lines],
        totals=StatsCounts(**table.totals),
    )


def _file(table: Table, name: str, columns: Sequence[str]) -> Response:
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow([table.by.value, *columns])
    for line in table.lines:
        lines.writerow([safe_cell(line.value), *(line.counts.get(column, 0) for column in columns)])
    headers = {"Content-Disposition": f'attachment; filename="{name}-{table.first}-{table.last}.csv"'}
    return PlainTextResponse(out.getvalue(), media_type="text/csv", headers=headers)
