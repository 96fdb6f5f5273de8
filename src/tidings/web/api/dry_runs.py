"""Dry runs: POST /triggers/{id}/dry-run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints, model_validator

from tidings.domain.permission import Permission
from tidings.domain.safety import HoldReason
from tidings.services.dry_people import InBell, NotTold, Told
from tidings.services.dry_run import DryRun
from tidings.services.fates import WhyNot
from tidings.web.api.message import Name
from tidings.web.api.shapes import Body
from tidings.web.api.triggers import ReadTriggers
from tidings.web.auth import check_also, container_of

router = APIRouter(prefix="/triggers", tags=["Events"])


class DryRunBody(Body):
    """An event that happened, or data as one would bring it; without both, the type's first example."""

    event: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, examples=["evt_01jd8k3v5x0000000000000000"]
    )
    data: dict[str, Any] | None = None
    users: list[Name] = Field(default=[], max_length=1_000)
    actor: Name | None = None
    about: list[Name] = Field(
        default=[],
        max_length=20,
        description="Users who are listed in any case, among those who would be told or among those who would not.",
    )

    @model_validator(mode="after")
    def _one(self) -> DryRunBody:
        if self.event is not None and self.model_fields_set - {"about"} != {"event"}:
            raise ValueError("Name an event that happened, or give data, users and actor; not both.")
        return self


class InBellOut(BaseModel):
    """What a person finds in the bell."""

    language: str | None
    title: str
    body: str


class ToldOut(BaseModel):
    """What a person would be told. Whoever has devices in two languages is there twice."""

    user: str
    devices: int
    language: str | None
    title: str
    body: str
    url: str | None
    put_off_until: datetime | None = Field(description="When their quiet hours end, until which it waits.")
    bell: InBellOut | None = Field(description="What they find in the bell besides.")


class NotToldOut(BaseModel):
    """Somebody none of whose devices would be told."""

    user: str
    why: WhyNot
    detail: str = Field(description="In words: what decided it.")
    bell: InBellOut | None = Field(description="What they find in the bell all the same.")


class DryRunOut(BaseModel):
    """What would come of it; nothing was sent, stored or counted."""

    event: str | None
    fires: bool
    enabled: bool
    conditions_hold: bool
    because: list[str] = Field(description="The comparisons that decided whether the conditions hold.")
    throttled: bool = Field(description="It has fired as often as it may for this key.")
    fault: str | None = Field(description="Why its words cannot be written for anybody.")
    delay: int
    digest: bool
    paused: bool = Field(description="All sending is paused: it would wait until somebody resumes it.")
    held: HoldReason | None = Field(description="It looks like an accident: it would wait until somebody lets it go.")
    devices: int = Field(description="Devices that would be told, at once or when quiet hours end.")
    devices_exact: bool = Field(
        description="False for an audience too large to look at each: then `devices` is how many it could be at most."
    )
    unnamed: int = Field(description="How many of these devices belong to nobody that is known.")
    people: list[ToldOut] = Field(description="Up to 50 of those who would be told.")
    others: list[NotToldOut] = Field(
        description="Whoever did it, up to 50 of those who are meant and would not be told, and up to 20 of those who "
        "are not meant."
    )
    more: bool = Field(description="Not everybody is listed; `about` names whom to say it of.")


@router.post("/{trigger_id}/dry-run", operation_id="dry_run_trigger", summary="Try a trigger")
async def dry_run_trigger(request: Request, app: ReadTriggers, trigger_id: str, body: DryRunBody) -> DryRunOut:
    """Show what it would do: whether its conditions hold and why, who would be told what, and why others would not.

    It shows people and what is kept of them: a key needs `app.read` besides, and `event.read` to name an event.
    """
    check_also(request, app, Permission.APP_READ)
    if body.event is not None:
        check_also(request, app, Permission.EVENT_READ)
    service = container_of(request).automation.dry_runs
    if body.event is not None:
        return _out(await service.of_event(app, trigger_id, body.event, about=body.about))
    return _out(
        await service.of_data(app, trigger_id, data=body.data, users=body.users, actor=body.actor, about=body.about)
    )


def _out(run: DryRun) -> DryRunOut:
    return DryRunOut(
        event=run.event,
        fires=run.fires,
        enabled=run.enabled,
        conditions_hold=run.conditions_hold,
        because=list(run.because),
        throttled=run.throttled,
        fault=run.fault,
        delay=run.delay,
        digest=run.digest,
        paused=run.paused,
        held=run.held,
        devices=run.devices,
        devices_exact=run.devices_exact,
        unnamed=run.unnamed,
        people=[_told(one) for one in run.people],
        others=[_not_told(one) for one in run.others],
        more=run.more,
    )


def _told(one: Told) -> ToldOut:
    said = one.rendered
    return ToldOut(
        user=one.user,
        devices=one.devices,
        language=one.language,
        title=said.title,
        body=said.body,
        url=said.url,
        put_off_until=one.put_off_until,
        bell=_in_bell(one.bell),
    )


def _not_told(one: NotTold) -> NotToldOut:
    return NotToldOut(user=one.user, why=one.why, detail=one.detail, bell=_in_bell(one.bell))


def _in_bell(bell: InBell | None) -> InBellOut | None:
    if bell is None:
        return None
    return InBellOut(language=bell.language, title=bell.rendered.title, body=bell.rendered.body)
