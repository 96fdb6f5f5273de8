"""Integrations with uploaded credentials: added, proved, tested with a device, taken away."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.campaign import NotificationStatus
from tidings.domain.permission import Permission
from tidings.providers import Finding
from tidings.services.proofs import Proof
from tidings.web.api.integrations import IntegrationOut, Label, Upload, integration_out
from tidings.web.api.shapes import FIRST_LIMIT, Body, Cursor, Limit, ListOf, ProviderName, listed
from tidings.web.api.subscriptions import SubscriptionOut, subscription_out
from tidings.web.auth import By, caller_of, check_recent, container_of, in_app

ReadApp = Annotated[App, in_app(Permission.APP_READ)]
WriteApp = Annotated[App, in_app(Permission.INTEGRATION_WRITE)]
RecentWriter = Annotated[App, in_app(Permission.INTEGRATION_WRITE, recent=True)]

router = APIRouter(prefix="/integrations", tags=["Integrations"])


class NewIntegration(Body):
    """An integration to add."""

    provider: ProviderName
    label: Label = Field(examples=["Firebase Production"])
    credentials: Upload


class Trial(Body):
    """Credentials to try before they are saved."""

    provider: ProviderName
    credentials: Upload


class FindingOut(BaseModel):
    """One look: what it showed, and what to do where it is not well."""

    name: str
    ok: bool
    detail: str
    mend: str


class ProofOut(BaseModel):
    """Whether messages can be sent with these credentials."""

    ok: bool
    findings: list[FindingOut]
    warnings: list[str] = Field(description="What to know although all is well.")


class TestNotification(Body):
    """A test to one device."""

    subscription: str = Field(max_length=64, description="One of the integration's subscriptions.")
    title: Annotated[str, Field(min_length=1, max_length=200)] = "Test notification"
    body: str = Field(default="This device receives notifications.", max_length=2_000)


class TestSent(BaseModel):
    """A test that is on its way."""

    id: str
    status: NotificationStatus


class TestOut(BaseModel):
    """How a test stands, and what was checked: permission, subscription, credentials."""

    id: str
    status: Literal["waiting", "sent", "failed", "expired", "skipped"]
    reason: str | None
    hints: list[FindingOut]


class Removed(BaseModel):
    """What went with it."""

    expired: int = Field(description="Active subscriptions that nothing reaches any more.")


@router.post("", operation_id="add_integration", summary="Add an integration", status_code=201)
async def add_integration(request: Request, by: By, app: RecentWriter, body: NewIntegration) -> IntegrationOut:
    """Store credentials under a label; there may be several of a provider. They are sealed and never shown again."""
    added = await container_of(request).phones.integrations.add(
        app.id, body.provider, label=body.label, fields=body.credentials, by=by
    )
    return integration_out(added)


@router.post("/test", operation_id="try_credentials", summary="Try credentials before saving them")
async def try_credentials(request: Request, app: WriteApp, body: Trial) -> ProofOut:
    """Prove credentials at the vendor and store nothing."""
    return _proof_out(
        await container_of(request).phones.integrations.prove_upload(app.id, body.provider, body.credentials)
    )


@router.get("/{integration}", operation_id="get_integration", summary="Get an integration")
async def get_integration(request: Request, app: ReadApp, integration: str) -> IntegrationOut:
    """Show one by its id."""
    service = container_of(request).phones.integrations
    found = await service.get(app.id, integration)
    if found.integration is None:
        return integration_out(found)
    return integration_out(
        found, unseen=await service.unseen(found.integration), suspected=await service.suspected(found.integration)
    )


@router.delete("/{integration}", operation_id="remove_integration", summary="Remove an integration")
async def remove_integration(
    request: Request,
    by: By,
    app: WriteApp,
    integration: str,
    force: Annotated[bool, Query(description="Also where devices are reached through it.")] = False,
) -> Removed:
    """Forget its credentials; its devices expire. `force` asks who you are again."""
    if force:
        check_recent(request, caller_of(request))
    return Removed(
        expired=await container_of(request).phones.integrations.remove(app.id, integration, force=force, by=by)
    )


@router.post("/{integration}/test", operation_id="test_integration", summary="Test the connection")
async def test_integration(request: Request, by: By, app: WriteApp, integration: str) -> ProofOut:
    """Prove the stored credentials at the vendor; nothing is delivered. Success ends a pause."""
    return _proof_out(await container_of(request).phones.integrations.prove(app.id, integration, by=by))


@router.post(
    "/{integration}/test-notification",
    operation_id="send_test_notification",
    summary="Send a test notification",
    status_code=202,
)
async def send_test_notification(
    request: Request,
    by: By,
    app: Annotated[App, in_app(Permission.MESSAGE_SEND)],
    integration: str,
    body: TestNotification,
) -> TestSent:
    """Send to one chosen device of the integration."""
    accepted = await container_of(request).phones.trials.send(
        app, integration, device=body.subscription, title=body.title, body=body.body, by=by
    )
    return TestSent(id=accepted.notification.public_id, status=accepted.notification.status)


@router.get(
    "/{integration}/test-notification/{notification_id}",
    operation_id="get_test_notification",
    summary="See what became of a test",
)
async def get_test_notification(request: Request, app: ReadApp, integration: str, notification_id: str) -> TestOut:
    """Say whether it was sent; the hints are backed by a look at the device, its history and the credentials."""
    trial = await container_of(request).phones.trials.look(app, integration, notification_id)
    return TestOut.model_validate(
        {
            "id": trial.notification.public_id,
            "status": trial.status,
            "reason": trial.settled.reason if trial.settled else None,
            "hints": [_finding_out(one) for one in trial.hints],
        }
    )


@router.get(
    "/{integration}/subscriptions",
    operation_id="list_integration_subscriptions",
    summary="List an integration's subscriptions",
)
async def list_subscriptions(
    request: Request,
    app: ReadApp,
    integration: str,
    search: Annotated[
        str, Query(max_length=200, description="A part of the device's or the user's name, or a subscription's id.")
    ] = "",
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[SubscriptionOut]:
    """List the browsers or devices that are reached through it, newest first."""
    page = await container_of(request).phones.integrations.devices(
        app.id, integration, cursor=cursor, limit=limit, search=search.strip()
    )
    return listed(page, subscription_out)


def _proof_out(proof: Proof) -> ProofOut:
    return ProofOut(ok=proof.ok, findings=[_finding_out(one) for one in proof.findings], warnings=list(proof.warnings))


def _finding_out(one: Finding) -> FindingOut:
    return FindingOut(name=one.name, ok=one.ok, detail=one.detail, mend=one.mend)
