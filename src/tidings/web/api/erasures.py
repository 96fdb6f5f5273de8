"""Personal data: export and erasure of a user or a device, and the receipts: GET /erasures, GET /erasures/{id}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.erasure import Erasure, ErasureStatus, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.permission import Permission
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.auth import By, container_of, in_app

router = APIRouter(tags=["Personal data"])

ExternalId = Annotated[str, Path(min_length=1, max_length=200, description="The App's own id of the user.")]

KEPT = (
    "Counters of notifications and counts by day stay as they were; nobody can be found in them.",
    "A message that went to several people by name keeps its words; the id was taken out of its audience.",
    "Backups made before keep the data until they go: erase again after you have restored one.",
)


ExportApp = Annotated[App, in_app(Permission.PERSONAL_DATA_EXPORT, recent=True)]
EraseApp = Annotated[App, in_app(Permission.PERSONAL_DATA_ERASE, recent=True)]
ErasedApp = Annotated[App, in_app(Permission.PERSONAL_DATA_ERASE)]


class ErasureOut(BaseModel):
    """The receipt of an erasure; it does not say whose data it was."""

    id: str
    app: str
    subject: Subject
    status: ErasureStatus
    still_sending: int = Field(description="Chunks that were on their way when it was asked and are not back yet.")
    removed: dict[str, int] = Field(description="How many rows of each kind were removed until now.")
    kept: list[str] = Field(description="What stays, in words.")
    asked_at: datetime
    finished_at: datetime | None


_RECEIPT: dict[int | str, dict[str, Any]] = {
    202: {"model": ErasureOut, "description": "It goes on in the background; ask for it by its id."}
}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}}, "description": "Everything that is kept."}
}


@router.get(
    "/users/{external_id:path}/export",
    operation_id="export_user",
    summary="Export a user's data",
    response_class=StreamingResponse,
    responses=_DOCUMENT,
)
async def export_user(request: Request, app: ExportApp, by: By, external_id: ExternalId) -> StreamingResponse:
    """Give everything that is kept of a person: what you told us, devices, events, deliveries, receipts, messages."""
    return _streamed(await container_of(request).export.user(app, external_id, by=by), "user")


@router.post(
    "/users/{external_id:path}/erase", operation_id="erase_user", summary="Erase a user's data", responses=_RECEIPT
)
async def erase_user(
    request: Request, response: Response, app: EraseApp, by: By, external_id: ExternalId
) -> ErasureOut:
    """Erase a person with all their devices and what hangs on them; from the answer on nothing is sent to them.

    Asked again, it gives the receipt there is. 202 where there is so much that it goes on in the background.
    """
    return _receipt(response, await container_of(request).erasure.user(app, external_id, by=by))


@router.get(
    "/subscriptions/{subscription_id}/export",
    operation_id="export_subscription",
    summary="Export a device's data",
    response_class=StreamingResponse,
    responses=_DOCUMENT,
)
async def export_subscription(request: Request, app: ExportApp, by: By, subscription_id: str) -> StreamingResponse:
    """Give everything that is kept of a device, for a person who is known by it alone."""
    return _streamed(await container_of(request).export.subscription(app, subscription_id, by=by), "subscription")


@router.post(
    "/subscriptions/{subscription_id}/erase",
    operation_id="erase_subscription",
    summary="Erase a device's data",
    responses=_RECEIPT,
)
async def erase_subscription(
    request: Request, response: Response, app: EraseApp, by: By, subscription_id: str
) -> ErasureOut:
    """Erase a device with everything that hangs on it, for a person who is known by it alone."""
    return _receipt(response, await container_of(request).erasure.subscription(app, subscription_id, by=by))


@router.get("/erasures", operation_id="list_erasures", summary="List erasures")
async def list_erasures(
    request: Request, app: ErasedApp, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[ErasureOut]:
    """List what was erased in an App, newest first."""
    return listed(await container_of(request).erasure.page(app.id, cursor=cursor, limit=limit), erasure_out)


@router.get("/erasures/{erasure_id}", operation_id="get_erasure", summary="Get an erasure")
async def get_erasure(request: Request, app: ErasedApp, erasure_id: str) -> ErasureOut:
    """Show how far an erasure is, and what was removed."""
    found = await container_of(request).erasure.get(erasure_id)
    if found.app_id != app.id:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no erasure {erasure_id[:64]!r}.")
    return erasure_out(found)


def erasure_out(row: Erasure) -> ErasureOut:
    """Show an erasure."""
    return ErasureOut(
        id=row.public_id,
        app=row.app,
        subject=row.subject,
        status=row.status,
        still_sending=len(row.in_hand),
        removed=row.counts,
        kept=list(KEPT if row.subject is not Subject.APP else KEPT[-1:]),
        asked_at=row.asked_at,
        finished_at=row.finished_at,
    )


def _receipt(response: Response, found: Erasure) -> ErasureOut:
    if found.status is ErasureStatus.RUNNING:
        response.status_code = 202
    return erasure_out(found)


def _streamed(document: object, what: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{what}.json"', "Cache-Control": "no-store"}
    return StreamingResponse(document, media_type="application/json", headers=headers)  # type: ignore[arg-type]
