"""Presets: GET /presets; POST /presets/{preset}."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings import presets
from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.domain.preset import NewSegment, PartKind, PartOutcome, Preset
from tidings.services.segments import conditions_from
from tidings.web.api.event_types import EventTypeBody
from tidings.web.api.segments import SegmentBody
from tidings.web.api.templates import TemplateBody
from tidings.web.api.triggers import TriggerBody
from tidings.web.auth import By, container_of, in_app, somewhere

ApplyPresets = Annotated[App, in_app(Permission.PRESET_APPLY)]
Name = Literal["site", "live_chat", "bots", "community"]

router = APIRouter(prefix="/presets", tags=["Events"])


class PresetOut(BaseModel):
    """What a preset makes, by name."""

    name: str
    title: str
    description: str
    event_types: list[str] = Field(description="Their keys.")
    templates: list[str]
    triggers: list[str]
    segments: list[str]


class PresetsOut(BaseModel):
    """The presets there are."""

    data: list[PresetOut]


class PartOut(BaseModel):
    """What became of one part of a preset."""

    kind: PartKind
    id: str
    name: str
    outcome: PartOutcome = Field(
        description="`made` now; `there` as the preset has it; or `changed` since, or your own, and left alone."
    )


class AppliedOut(BaseModel):
    """What became of a preset."""

    preset: str
    made: int = Field(description="How many parts were made.")
    parts: list[PartOut]


@router.get("", operation_id="list_presets", summary="List presets")
async def list_presets(_: Annotated[object, somewhere(Permission.EVENT_TYPE_READ)]) -> PresetsOut:
    """List what can be made at once: event types, templates, triggers and segments that go together."""
    return PresetsOut(data=[_out(preset_of(name)) for name in presets.NAMES])


@router.post("/{preset}", operation_id="apply_preset", summary="Apply a preset")
async def apply_preset(request: Request, by: By, app: ApplyPresets, preset: Name) -> AppliedOut:
    """Make what of a preset is not there yet. What is there stays as it is, also where you changed it.

    Calling it again does no harm: what a preset made has ids by which it is found, whatever it is called by then. What
    you deleted is made again.
    """
    parts = await container_of(request).automation.presets.apply(app, preset_of(preset), by=by)
    return AppliedOut(
        preset=preset,
        made=sum(one.outcome is PartOutcome.MADE for one in parts),
        parts=[PartOut(kind=one.kind, id=one.id, name=one.name, outcome=one.outcome) for one in parts],
    )


@cache
def preset_of(name: str) -> Preset:
    """Read a preset as the routes of its parts would."""
    written = presets.document(name)
    templates = {key: TemplateBody.model_validate(one) for key, one in written.get("templates", {}).items()}
    triggers = {key: TriggerBody.model_validate(one) for key, one in written.get("triggers", {}).items()}
    segments = {key: SegmentBody.model_validate(one) for key, one in written.get("segments", {}).items()}
    kinds = {key: EventTypeBody.model_validate(one) for key, one in written.get("event_types", {}).items()}
    return Preset(
        name=name,
        title=written["title"],
        description=written["description"],
        event_types=tuple(one.declared(key) for key, one in kinds.items()),
        templates=tuple((key, one.template(one.name, one.event_type)) for key, one in templates.items()),
        triggers=tuple((key, one.definition()) for key, one in triggers.items()),
        segments=tuple((key, NewSegment(one.name, conditions_from(one.conditions))) for key, one in segments.items()),
    )


def _out(preset: Preset) -> PresetOut:
    return PresetOut(
        name=preset.name,
        title=preset.title,
        description=preset.description,
        event_types=[one.key for one in preset.event_types],
        templates=[one.name for _, one in preset.templates],
        triggers=[one.name for _, one in preset.triggers],
        segments=[one.name for _, one in preset.segments],
    )
