"""The ports of outgoing webhooks: what is to be told, where it goes, and what becomes of each message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from tidings.domain.webhook import (
    Job,
    MessageStatus,
    NewWebhook,
    ReadyWebhook,
    Verdict,
    Webhook,
    WebhookAttempt,
    WebhookEvent,
    WebhookMessage,
)


class Outbox(Protocol):
    """What is told of devices; deliveries, receipts and notifications write down themselves what becomes of them."""

    def waits(self) -> bool:
        """Say whether anything is to be told that no message was made of yet."""
        ...

    def device(self, app_id: int, subscription_id: int, kind: WebhookEvent, reason: str, *, now: datetime) -> None: ...
    def imported(self, app_id: int, public_ids: Sequence[str], *, now: datetime) -> None:
        """Tell that devices were created, of those of the ids that are there."""
        ...

    def expiring(self, app_id: int, credential_id: int, reason: str, *, now: datetime) -> None:
        """Tell that every active device made with a key expires; to be called just before they do."""
        ...


class Webhooks(Protocol):
    """Where an App's own servers are told what happens."""

    def hold(self, app_id: int) -> None:
        """Let nobody else change the App's webhooks until the transaction ends; asked before what is there is read."""
        ...

    def add(self, app_id: int, new: NewWebhook, *, public_id: str, secret: bytes, now: datetime) -> Webhook: ...
    def get(self, app_id: int, public_id: str) -> Webhook | None: ...
    def all(self, app_id: int) -> list[Webhook]:
        """List the App's webhooks, newest first; there are a few."""
        ...

    def change(self, webhook_id: int, new: NewWebhook, *, now: datetime) -> Webhook:
        """Put this in its place; one that was off, or goes elsewhere now, begins anew, as if it had never failed.

        What a call to the place before still answers changes nothing any more.
        """
        ...

    def rotate(self, webhook_id: int, secret: bytes, *, earlier_until: datetime, now: datetime) -> Webhook:
        """Sign with a new secret from now on, and with the one before besides until then."""
        ...

    def delete(self, webhook_id: int) -> None:
        """Forget it with its log and with what it was still to be told."""
        ...

    def disabled(self, app_id: int) -> list[Webhook]:
        """List those that were turned off because they failed."""
        ...


class WebhookMessages(Protocol):
    """What is told, to whom, and how each try went."""

    def gather(self, *, new_id: Callable[[], str], limit: int, now: datetime) -> int:
        """Make messages of up to `limit` rows of the outbox; give how many rows there were."""
        ...

    def ready(self, *, now: datetime, but: Collection[int]) -> list[ReadyWebhook]:
        """Give webhooks with a message that is due and nobody has in hand.

        Who was asked longest ago comes first.
        """
        ...

    def take(self, webhook_id: int, *, now: datetime, lease: float) -> Job | None:
        """Take what is next for a webhook, for `lease` seconds; None when somebody has it, or nothing is due."""
        ...

    def settle(self, job: Job, attempt: WebhookAttempt | None, verdict: Verdict, *, now: datetime) -> bool:
        """Write down how a try went and what follows; False when the lease was lost or the message is gone.

        What was answered is not kept where somebody of the App was erased meanwhile: it may name them.
        """
        ...

    def free(self, *, now: datetime) -> None:
        """Let every lease end now."""
        ...

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> None:
        """Let what was due before the clock went back from `was`, or soon after, be due now, and leases end in time."""
        ...

    def events(self, message: WebhookMessage) -> list[dict[str, Any]]:
        """Give what a message says, as it is now; of who was erased meanwhile nothing is left."""
        ...

    def add_test(self, webhook: Webhook, *, public_id: str, now: datetime, lease: float) -> Job:
        """Store a message that says nothing but that it is a test, in hand already, beside what else is told.

        The App is to be held.
        """
        ...

    def get(self, webhook_id: int, public_id: str) -> WebhookMessage | None: ...
    def page(
        self, webhook_id: int, *, after: int, limit: int, status: MessageStatus | None = None
    ) -> list[WebhookMessage]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def waiting(self, webhook_id: int) -> int: ...
    def attempts(self, message_id: int, *, limit: int) -> list[WebhookAttempt]:
        """List how it went, the newest first."""
        ...

    def again(
        self,
        webhook_id: int,
        *,
        now: datetime,
        message_id: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: MessageStatus | None = None,
    ) -> int:
        """Have messages sent again: one, due now also if it waits, or those made within a time; give how many."""
        ...

    def give_up(self, *, before: datetime, now: datetime) -> int:
        """Give up what has been due since before then and could never be told; give how many messages."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` messages made before then, each with its tries; give how many.

        Tries of that time go too whose message is gone.
        """
        ...
