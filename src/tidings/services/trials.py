"""Test notifications to one device: sent, watched, and explained where they do not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidings.domain.app import App
from tidings.domain.audience import Devices
from tidings.domain.audit import SYSTEM, Actor
from tidings.domain.campaign import TEST, InDoubtPolicy, NewNotification, Notification
from tidings.domain.delivery import SettledDelivery
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Message, Urgency
from tidings.domain.outcome import Doubt
from tidings.domain.subscription import Ending, Subscription, SubscriptionStatus
from tidings.lib.clock import Clock
from tidings.pipeline.flow import Acceptance, Flow
from tidings.providers import Finding
from tidings.services.integrations import Integrations
from tidings.services.proofs import Proof
from tidings.storage import Store, Transaction

TTL = 600
"""Seconds: a test that arrives tomorrow proves nothing."""

WAITING = "waiting"
"""What is said of a test that has no end yet."""

PROOF_KEPT = timedelta(seconds=30)
"""How long one look at the credentials serves those who look at a test again and again: each asks the vendor for a new
token and for a send, and Apple takes it amiss when that is done in a loop."""

MOST_PROOFS = 1_000

_ELSEWHERE = {
    Doubt.DEVICE_TOKEN_REFUSED: (
        "{host} does not know its token: it is of the other environment, most likely.",
        "Have the app register with the environment it was signed for: sandbox where it was run from Xcode, production "
        "from TestFlight and the App Store.",
    ),
    Doubt.ADDRESS_FOREIGN: (
        "Its token belongs to another project or app.",
        "Compare the app's project or bundle id with the integration's, and register the device with the right one.",
    ),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test stands, and what was looked at: the device's permission, its subscription, the credentials."""

    notification: Notification
    settled: SettledDelivery | None
    hints: tuple[Finding, ...]

    @property
    def status(self) -> str:
        """Say what became of it: `waiting`, `sent`, `failed`, `expired` or `skipped`."""
        return self.settled.status.name.lower() if self.settled else WAITING


class Trials:
    """Sends tests through an integration."""

    def __init__(self, *, store: Store, flow: Flow, integrations: Integrations, clock: Clock) -> None:
        self._store = store
        self._flow = flow
        self._integrations = integrations
        self._clock = clock
        self._proofs: dict[str, tuple[tuple[str, Mapping[str, str]], datetime, Proof]] = {}

    async def send(
        self, app: App, integration: str, *, device: str, title: str, body: str, by: Actor = SYSTEM
    ) -> Acceptance:
        """Send a test to a device of the integration. Raises NOT_FOUND, NO_SUBSCRIPTION, MESSAGE_TOO_LARGE."""
        found = await self._device(app.id, integration, device)
        if found.status is not SubscriptionStatus.ACTIVE:
            raise CatalogueError(
                ErrorCode.NO_SUBSCRIPTION,
                f"The device is {found.status}: {found.status_reason or 'no reason is kept'}.",
            )
        message = Message(title=title, body=body, ttl=TTL, urgency=Urgency.HIGH)
        new = NewNotification(app.id, message, Devices((device,)), InDoubtPolicy.RESEND, source=TEST)
        return await self._flow.accept(new, by=by)

    async def look(self, app: App, integration: str, notification: str) -> Trial:
        """Say what became of a test; where it has not been sent, why that may be. Raises NOT_FOUND."""

        def read(tx: Transaction) -> tuple[Notification, SettledDelivery | None]:
            found = tx.notifications.get(app.id, notification)
            if found is None or found.source != TEST or not isinstance(found.audience, Devices):
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no test {notification[:64]!r}.")
            return found, next(iter(tx.deliveries.page(found.id, after=0, limit=1)), None)

        found, settled = await self._store.read(read)
        assert isinstance(found.audience, Devices)
        device = await self._device(app.id, integration, found.audience.public_ids[0])
        proof = await self._proof(app.id, integration)
        return Trial(found, settled, (_permission(device), await self._subscription(device), _credentials(proof)))

    async def _proof(self, app_id: int, integration: str) -> Proof:
        """Prove the credentials, or give what a moment ago was proved of the same ones."""
        details = await self._integrations.get(app_id, integration)
        credential, now = details.keys[0].credential, self._clock.now()
        # The same key with another Team ID, bundle id or project is something else to prove.
        tried = credential.fingerprint, credential.settings
        known = self._proofs.get(integration)
        if known is not None and known[0] == tried and now < known[1] + PROOF_KEPT:
            return known[2]
        # Whoever may look may not start anything again.
        proof = await self._integrations.prove(app_id, integration, ends_pause=False)
        if len(self._proofs) >= MOST_PROOFS:
            self._proofs.clear()
        self._proofs[integration] = tried, now, proof
        return proof

    async def _device(self, app_id: int, integration: str, public_id: str) -> Subscription:
        details = await self._integrations.get(app_id, integration)
        keys = {key.credential.id for key in details.keys}
        found = await self._store.read(lambda tx: tx.subscriptions.get(app_id, public_id))
        if found is None or found.credential_id not in keys:
            raise CatalogueError(
                ErrorCode.NOT_FOUND, f"The integration has no device {public_id[:64]!r}; list its subscriptions."
            )
        return found

    async def _subscription(self, device: Subscription) -> Finding:
        history = await self._store.read(lambda tx: tx.deliveries.of_subscription(device.id, limit=1))
        last = f" The last result was {_result(*history[0][1:])}." if history else " Nothing was sent to it yet."
        reason = _reason(history[0][1]) if history else None
        elsewhere = _ELSEWHERE.get(reason) if reason else None
        if device.status is not SubscriptionStatus.ACTIVE:
            detail = f"The subscription is {device.status}: {device.status_reason or 'no reason is kept'}.{last}"
            return Finding(
                "subscription", ok=False, detail=detail, mend="Open the app on the device: it registers again."
            )
        if elsewhere is not None:
            host = device.origin.partition("://")[2]
            detail = f"The subscription is active. {elsewhere[0].format(host=host)}{last}"
            return Finding("subscription", ok=False, detail=detail, mend=elsewhere[1])
        return Finding("subscription", ok=True, detail=f"The subscription is active.{last}")


def _permission(device: Subscription) -> Finding:
    seen = f"The device was last seen on {device.last_seen_at:%Y-%m-%d at %H:%M} UTC."
    if device.status_reason == Ending.PERMISSION_REVOKED:
        return Finding(
            "permission",
            ok=False,
            detail=f"Its user took the permission for notifications back. {seen}",
            mend="Allow notifications in the device's settings of the app or browser, and open it again.",
        )
    return Finding(
        "permission",
        ok=True,
        detail=f"Nobody has reported that the permission was taken back. {seen}",
        mend="Where it was since, only the device knows: look into its settings of the app or browser.",
    )


def _credentials(proof: Proof) -> Finding:
    bad = next((one for one in proof.findings if not one.ok), None)
    if bad is not None:
        return Finding("credentials", ok=False, detail=bad.detail, mend=bad.mend)
    detail = " ".join(one.detail for one in proof.findings) or "They were checked when they were stored."
    return Finding("credentials", ok=True, detail=detail)


def _reason(settled: SettledDelivery) -> Doubt | None:
    return Doubt(settled.reason) if settled.reason in list(Doubt) else None


def _result(settled: SettledDelivery, at: datetime) -> str:
    status = settled.status.name.lower()
    why = "" if settled.reason == status else f" ({settled.reason})"
    return f"{status}{why} on {at:%Y-%m-%d at %H:%M} UTC"
