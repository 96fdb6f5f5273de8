"""The audit log: GET /audit, /audit/export, /audit/verify."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import StreamingResponse

from tidings.domain.audit import ActorKind, Entry
from tidings.domain.permission import Permission
from tidings.services.audit import Wish
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.auth import AppParam, By, app_of, container_of, somewhere
from tidings.web.callers import Caller

router = APIRouter(prefix="/audit", tags=["Audit"])

Reader = Annotated[Caller, somewhere(Permission.AUDIT_READ)]
ActorParam = Annotated[str | None, Query(max_length=64, description="Id of the member or key that acted.")]
ActionParam = Annotated[str | None, Query(max_length=64, description="`key.created`, or `key` for all of keys.")]
After = Annotated[AwareDatetime | None, Query(description="From this moment on.")]
Before = Annotated[AwareDatetime | None, Query(description="Before this moment.")]


class ActorOut(BaseModel):
    """Who acted."""

    kind: ActorKind
    id: str | None
    name: str = Field(description="The name they had then.")


class SubjectOut(BaseModel):
    """What it was done to."""

    kind: str
    id: str | None
    name: str | None


class EntryOut(BaseModel):
    """One line of the log."""

    id: int
    at: datetime
    actor: ActorOut
    action: str
    subject: SubjectOut
    detail: dict[str, Any]
    address: str | None


class VerdictOut(BaseModel):
    """Whether the log is as it was written."""

    ok: bool
    entries: int
    head: str | None = Field(default=None, description="Stands for all entries; keep it elsewhere to compare later.")
    removed: int = Field(default=0, description="Entries before them that had their time and are gone.")
    broken_at: int | None = Field(default=None, description="The first entry that was changed, or follows a lost one.")


@router.get("", operation_id="list_audit", summary="List the audit log")
async def list_audit(
    request: Request,
    caller: Reader,
    app: AppParam = None,
    actor: ActorParam = None,
    action: ActionParam = None,
    after: After = None,
    before: Before = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[EntryOut]:
    """List who did what, newest first: in an App, or with no `app` everywhere, for who may see every App."""
    wish = await _wish(request, caller, app, actor=actor, action=action, since=after, until=before)
    page = await container_of(request).accounts.audit.page(wish, cursor=cursor, limit=limit)
    return listed(page, _out)


@router.get(
    "/export",
    operation_id="export_audit",
    summary="Export the audit log",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}, "text/csv": {}}, "description": "One entry a line."}},
)
async def export_audit(
    request: Request,
    caller: Annotated[Caller, somewhere(Permission.AUDIT_READ, recent=True)],
    by: By,
    app: AppParam = None,
    actor: ActorParam = None,
    action: ActionParam = None,
    after: After = None,
    before: Before = None,
    format: Literal["ndjson", "csv"] = "ndjson",
) -> StreamingResponse:
    """Give the log as a file, newest first, each entry with its hash. That it was taken is an entry too."""
    container = container_of(request)
    wish = await _wish(request, caller, app, actor=actor, action=action, since=after, until=before)
    names = {row.app.id: row.app.public_id for row in await container.apps.all()}
    lines = await container.accounts.audit.export(wish, format=format, names=names, by=by)
    kind = "text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type=kind, headers=headers)


@router.get("/verify", operation_id="verify_audit", summary="Verify the audit log", response_model_exclude_none=True)
async def verify_audit(request: Request, caller: Reader, app: AppParam = None) -> VerdictOut:
    """Compute every hash anew: of one App's entries, or of all that the caller may see."""
    reach, instance = caller.reach(Permission.AUDIT_READ), caller.grants.on_instance(Permission.INSTANCE_READ)
    if app is not None:
        reach, instance = frozenset({(await app_of(request, caller, app, Permission.AUDIT_READ)).id}), False
    found = await container_of(request).accounts.audit.verify(app_ids=reach, instance=instance)
    if found.broken_at is not None:
        return VerdictOut(ok=False, entries=found.entries, broken_at=found.broken_at)
    return VerdictOut(ok=True, entries=found.entries, head=found.head, removed=found.removed)


async def _wish(request: Request, caller: Caller, app: str | None, **more: Any) -> Wish:
    whole = caller.reach(Permission.AUDIT_READ) is None and caller.grants.on_instance(Permission.INSTANCE_READ)
    if app is None and whole:
        return Wish(**more)
    return Wish((await app_of(request, caller, app, Permission.AUDIT_READ)).id, **more)


def _out(row: Entry) -> EntryOut:
    return EntryOut(
        id=row.id,
        at=row.at,
        actor=ActorOut(kind=row.actor.kind, id=row.actor.id, name=row.actor.name),
        action=row.action,
        subject=SubjectOut(kind=row.subject.kind, id=row.subject.id, name=row.subject.name),
        detail=dict(row.detail),
        address=row.actor.address,
    )
