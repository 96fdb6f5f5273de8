"""The instance and one App at a glance: GET /system, GET /stats/overview."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App, Heartbeat
from tidings.domain.permission import Permission
from tidings.domain.safety import GlobalPause
from tidings.domain.subscription import SubscriptionStatus
from tidings.services.attention import Item, Matter
from tidings.services.system import AppFacts
from tidings.web.api.notifications import NotificationOut, notification_out
from tidings.web.api.shapes import Body, CountsOut, counts_out
from tidings.web.auth import By, container_of, in_app, on_instance, somewhere
from tidings.web.callers import Caller

router = APIRouter(tags=["System"])

Manager = Annotated[Caller, on_instance(Permission.INSTANCE_MANAGE)]


class DatabaseOut(BaseModel):
    """The database that keeps everything."""

    kind: str
    version: str | None
    warning: str | None


class WorkerOut(BaseModel):
    """A delivery worker that has beaten within the last 15 seconds."""

    id: str
    host: str
    pid: int
    senders: int
    started_at: datetime
    seen_at: datetime
    alive: bool = True


class PauseOut(BaseModel):
    """Nothing is sent by any worker since then."""

    since: datetime
    by: str
    reason: str


class PauseBody(Body):
    """Why sending stops."""

    reason: str = Field(default="", max_length=200)


class AttentionOut(BaseModel):
    """What of an integration or a webhook wants somebody's attention."""

    integration: str = Field(description="Id of the integration, or of the webhook where `matter` is about one.")
    provider: str
    label: str
    matter: Matter
    detail: str
    mend: str
    days: int | None = Field(description="Days that are left of credentials that end.")
    within: int | None = Field(description="30, 12 or 3: the step that is reached; 0 when they have ended.")


class AppFactsOut(BaseModel):
    """What is set up in one App."""

    id: str
    name: str
    origins: list[str]
    key_configured: bool
    contact: str | None
    paused_because: str | None
    subscriptions: dict[SubscriptionStatus, int]
    attention: list[AttentionOut]


class SystemOut(BaseModel):
    """The state of the instance."""

    version: str
    python: str
    platform: str
    now: datetime
    database: DatabaseOut
    workers: list[WorkerOut]
    queue_lag_seconds: float = Field(description="How late the oldest due shard is.")
    paused: PauseOut | None = Field(description="The pause of the whole instance; null while it sends.")
    apps: list[AppFactsOut]
    public_url: str | None
    insecure_endpoints: bool


class OverviewOut(BaseModel):
    """One App at a glance."""

    subscriptions: dict[SubscriptionStatus, int]
    last_30_days: CountsOut = Field(description="What was counted on the last 30 days of UTC; as `GET /stats` has it.")
    notifications: list[NotificationOut] = Field(description="The last five.")
    workers: int
    queue_lag_seconds: float
    paused: PauseOut | None = Field(description="The pause of the whole instance; null while it sends.")
    held: int = Field(description="Notifications that the tripwire holds.")
    attention: list[AttentionOut] = Field(
        description="Integrations that are paused, whose credentials end, or whose devices are suspected."
    )


@router.get("/system", operation_id="get_system", summary="Get the state of the instance")
async def get_system(request: Request, caller: Annotated[Caller, somewhere(Permission.APP_READ)]) -> SystemOut:
    """Show versions, database, workers, queue, and what is set up in each App."""
    facts = await container_of(request).system.facts()
    reach = caller.reach(Permission.APP_READ)
    return SystemOut(
        version=facts.version,
        python=facts.python,
        platform=facts.platform,
        now=facts.now,
        database=DatabaseOut(kind=facts.database.kind, version=facts.database.version, warning=facts.database.warning),
        workers=[_worker_out(worker) for worker in facts.workers],
        queue_lag_seconds=facts.queue_lag_seconds,
        paused=_pause_out(facts.paused),
        apps=[_app_out(app) for app in facts.apps if reach is None or app.id in reach],
        public_url=facts.public_url,
        insecure_endpoints=facts.insecure_endpoints,
    )


@router.get("/stats/overview", operation_id="get_overview", summary="Get an App's overview")
async def get_overview(request: Request, app: Annotated[App, in_app(Permission.APP_READ)]) -> OverviewOut:
    """Show subscribers by status, the last notifications, and what the last 30 days brought."""
    overview = await container_of(request).system.overview(app.id)
    return OverviewOut(
        subscriptions=overview.subscriptions,
        last_30_days=counts_out(overview.totals),
        notifications=[notification_out(row) for row in overview.notifications],
        workers=overview.workers,
        queue_lag_seconds=overview.queue_lag_seconds,
        paused=_pause_out(overview.paused),
        held=overview.held,
        attention=[_attention_out(one) for one in overview.attention],
    )


@router.post("/system/pause", operation_id="pause_system", summary="Pause all sending")
async def pause_system(request: Request, caller: Manager, by: By, body: PauseBody | None = None) -> PauseOut:
    """Stop all sending of the instance within a second; what is accepted waits, and its time to live goes on."""
    paused = await container_of(request).safety.pause(by=by, reason=body.reason if body else "")
    return PauseOut(since=paused.since, by=paused.by, reason=paused.reason)


@router.post("/system/resume", operation_id="resume_system", summary="Resume sending", status_code=204)
async def resume_system(request: Request, caller: Manager, by: By) -> None:
    """Let sending go on; what waited goes out, except what has run out of time."""
    await container_of(request).safety.resume(by=by)


def _pause_out(paused: GlobalPause | None) -> PauseOut | None:
    return None if paused is None else PauseOut(since=paused.since, by=paused.by, reason=paused.reason)


def _worker_out(beat: Heartbeat) -> WorkerOut:
    return WorkerOut(
        id=beat.worker_id,
        host=beat.host,
        pid=beat.pid,
        senders=beat.senders,
        started_at=beat.started_at,
        seen_at=beat.seen_at,
    )


def _app_out(app: AppFacts) -> AppFactsOut:
    return AppFactsOut(
        id=app.public_id,
        name=app.name,
        origins=list(app.origins),
        key_configured=app.key_configured,
        contact=app.contact,
        paused_because=app.paused_because,
        subscriptions=app.subscriptions,
        attention=[_attention_out(one) for one in app.attention],
    )


def _attention_out(item: Item) -> AttentionOut:
    return AttentionOut(
        integration=item.integration,
        provider=item.provider,
        label=item.label,
        matter=item.matter,
        detail=item.detail,
        mend=item.mend,
        days=item.days,
        within=item.within,
    )
