"""Integrations: listed, changed, and the keys of those whose keys we make; `uploads.py` has what is uploaded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from tidings.domain.app import App, CredentialStatus
from tidings.domain.audit import Actor
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.permission import Permission
from tidings.providers import BROWSER
from tidings.services.attention import expiry_of
from tidings.services.credentials import IntegrationDetails, KeyChange, KeyUse
from tidings.services.proofs import TESTED, TESTED_AT
from tidings.web.api.shapes import Body, ListOf
from tidings.web.auth import By, caller_of, check_recent, container_of, in_app

WriteApp = Annotated[App, in_app(Permission.INTEGRATION_WRITE)]

router = APIRouter(prefix="/integrations", tags=["Integrations"])

Subject = Field(
    default=None, max_length=256, examples=["mailto:you@example.com"], description="Contact for push services."
)


Label = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Upload = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=65_536)]],
    Field(
        max_length=10,
        examples=[{"service_account": '{"type": "service_account", ...}'}],
        description="What the provider wants: for `fcm` `service_account`, the whole JSON file, and if need be "
        "`project_id`. The reference of each provider names its fields.",
    ),
]
_BY_ID = "int_"
"""What an integration's id begins with; anything else is the name of a provider that has one integration."""


class KeyOut(BaseModel):
    """One key; its private half is never shown."""

    fingerprint: str
    public_key: str | None = Field(description="Where the key has a public half that others need: of Web Push.")
    status: CredentialStatus
    subscriptions: int = Field(description="Active subscriptions that were made with it.")
    created_at: datetime | None


class TestedOut(BaseModel):
    """How the last test of a connection went."""

    at: datetime
    ok: bool
    detail: str = Field(description="What was wrong, and how to mend it; empty where all was well.")


class IntegrationOut(BaseModel):
    """A provider in an App."""

    id: str | None
    provider: str
    label: str
    configured: bool
    settings: dict[str, str]
    paused_because: str | None = Field(description="Set while wrong credentials stop it; PATCH with `resume` goes on.")
    keys: list[KeyOut]
    expires_at: datetime | None = Field(default=None, description="When its credentials end, as certificates do.")
    tested: TestedOut | None = Field(default=None, description="The last test of these credentials.")
    unseen: int | None = Field(
        default=None, description="Only of one integration: active devices not seen for 270 days; their apps have gone."
    )
    suspected: int | None = Field(
        default=None,
        description="Only of one integration: active devices whose tokens look as if they were of another environment, "
        "project or app.",
    )


class Settings(Body):
    """What an integration takes."""

    subject: str = Field(max_length=256, examples=["mailto:you@example.com"])


class IntegrationPatch(Body):
    """What to change."""

    label: Label | None = None
    credentials: Upload | None = None
    force: bool = Field(default=False, description="Take credentials of another account; active devices are then lost.")
    settings: Settings | None = None
    resume: bool = False


class KeyBody(Body):
    """What to do about the key."""

    action: Literal["generate", "import", "rotate"] = Field(
        default="generate",
        description="`generate` makes the first key or shows the one that is there; `rotate` makes a new one and loses "
        "nobody; `import` takes one made elsewhere.",
    )
    subject: str | None = Subject
    private_key: str | None = Field(default=None, max_length=4096, description="For `import`: PEM, or base64url.")
    public_key: str | None = Field(default=None, max_length=256, description="For `import`: checked if given.")
    force: bool = Field(default=False, description="After a leak: revoke the keys before; their subscriptions expire.")


class KeyMade(BaseModel):
    """The key as it stands now."""

    fingerprint: str
    public_key: str
    status: CredentialStatus
    invalidated: int = Field(description="Active subscriptions that `force` made useless.")
    subject: str | None


@router.get("", operation_id="list_integrations", summary="List integrations")
async def list_integrations(
    request: Request, app: Annotated[App, in_app(Permission.APP_READ)]
) -> ListOf[IntegrationOut]:
    """List the providers of an App with their keys and how many subscriptions use each."""
    return ListOf(data=[integration_out(one) for one in await container_of(request).credentials.integrations(app.id)])


@router.patch("/{integration}", operation_id="update_integration", summary="Change an integration")
async def update_integration(
    request: Request, app: WriteApp, by: By, integration: str, body: IntegrationPatch
) -> IntegrationOut:
    """Change label, credentials or contact address, or go on after a wrong credential stopped the integration.

    New credentials are in force with the next messages, without a restart. Where the keys are made here, the
    provider's name does for an id. New credentials ask who you are again.
    """
    if body.credentials is not None:
        check_recent(request, caller_of(request))
    container = container_of(request)
    settings = body.settings.model_dump() if body.settings else {}
    if not integration.startswith(_BY_ID):
        changed = await container.credentials.update(app.id, integration, settings=settings, resume=body.resume, by=by)
        return integration_out(changed)
    changed = await container.phones.integrations.update(
        app.id, integration, label=body.label, fields=body.credentials, force=body.force, resume=body.resume, by=by
    )
    if settings:
        changed = await container.credentials.update(app.id, changed.provider, settings=settings, resume=False, by=by)
    return integration_out(changed)


@router.post(
    "/{provider}/keys",
    operation_id="make_key",
    summary="Generate, rotate or import a key",
    status_code=201,
    responses={200: {"model": KeyMade, "description": "The key was there already."}},
)
async def make_key(
    request: Request, response: Response, app: WriteApp, by: By, provider: str, body: KeyBody
) -> KeyMade:
    """Make the key that push services know you by; all but `generate` without `force` ask who you are again."""
    if body.action != "generate" or body.force:
        check_recent(request, caller_of(request))
    change = await _change(request, app.id, provider, body, by)
    if not change.created:
        response.status_code = 200
    one = change.credential
    return KeyMade(
        fingerprint=one.fingerprint,
        public_key=one.fingerprint,
        status=one.status,
        invalidated=change.invalidated,
        subject=one.settings.get("subject"),
    )


async def _change(request: Request, app_id: int, provider: str, body: KeyBody, by: Actor) -> KeyChange:
    credentials = container_of(request).credentials
    settings = {"subject": body.subject} if body.subject else {}
    match body.action:
        case "generate":
            return await credentials.generate(app_id, provider, settings=settings, force=body.force, by=by)
        case "rotate":
            return await credentials.rotate(app_id, provider, settings=settings, by=by)
        case "import":
            if not body.private_key:
                fault = FieldFault("private_key", "This field is required to import a key.")
                raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{fault.field}: {fault.message}", faults=(fault,))
            given = {"private_key": body.private_key, "public_key": body.public_key or ""}
            fields = {name: value for name, value in given.items() if value}
            return await credentials.take_over(
                app_id, provider, fields=fields, settings=settings, force=body.force, by=by
            )


def integration_out(
    details: IntegrationDetails, *, unseen: int | None = None, suspected: int | None = None
) -> IntegrationOut:
    """Show an integration."""
    integration = details.integration
    return IntegrationOut(
        id=integration.public_id if integration else None,
        provider=details.provider,
        label=integration.label if integration else details.provider,
        configured=details.configured,
        settings=_shown(integration.settings) if integration else {},
        paused_because=integration.paused_because if integration else None,
        keys=[_key_out(key) for key in details.keys],
        expires_at=expiry_of(integration) if integration else None,
        tested=_tested(integration.settings) if integration else None,
        unseen=unseen,
        suspected=suspected,
    )


def _shown(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in (TESTED_AT, TESTED)}


def _tested(settings: dict[str, str]) -> TestedOut | None:
    if TESTED_AT not in settings:
        return None
    detail = settings.get(TESTED, "")
    return TestedOut(at=datetime.fromisoformat(settings[TESTED_AT]), ok=not detail, detail=detail)


def _key_out(key: KeyUse) -> KeyOut:
    return KeyOut(
        fingerprint=key.credential.fingerprint,
        public_key=key.credential.fingerprint if key.credential.provider == BROWSER else None,
        status=key.credential.status,
        subscriptions=key.active,
        created_at=key.credential.created_at,
    )
