"""Where state lives: the ports that the rest of Tidings sees. Only this package knows SQL.

`Store.read` and `Store.write` run a function with a Transaction on a thread of the store: the function is plain,
synchronous and short, does nothing but storage, and may be run again if the database asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeVar

from tidings.domain.app import (
    ApiKey,
    App,
    Credential,
    CredentialStatus,
    Heartbeat,
    Integration,
    SetupToken,
    User,
)
from tidings.domain.audience import Audience
from tidings.domain.campaign import Counts, NewNotification, Notification, NotificationStatus
from tidings.domain.delivery import DeadShard, NewShard, Priority, SettledDelivery, Settlement, Shard
from tidings.domain.erasure import Erasure, Sought
from tidings.domain.message import Message
from tidings.domain.person import Person
from tidings.domain.receipt import Receipt
from tidings.domain.safety import GlobalPause, HoldReason
from tidings.domain.stats import Naming, Scale
from tidings.domain.subscription import Address, Known, NewSubscription, Recipient, Subscription, SubscriptionStatus
from tidings.domain.suspected import Suspected
from tidings.domain.tracked import NewTrackedEvent, TrackedEvent
from tidings.domain.vitals import Vitals
from tidings.lib.sealed import Sealer
from tidings.storage.account_ports import Audit, Factors, Members, Oidc, Sessions, Throttle
from tidings.storage.event_ports import Events, EventTypes
from tidings.storage.preference_ports import Feed, Kinds, Preferences
from tidings.storage.relay_ports import Relays
from tidings.storage.segment_ports import Follows, Segments
from tidings.storage.template_ports import Templates
from tidings.storage.trigger_ports import Firings, Lanes, Triggers

T = TypeVar("T")


class Apps(Protocol):
    """Apps."""

    def add(self, *, public_id: str, name: str, identity_secret: bytes, now: datetime) -> App: ...
    def get(self, public_id: str) -> App | None: ...
    def by_id(self, app_id: int) -> App | None: ...
    def all(self) -> list[App]: ...
    def update(
        self,
        app_id: int,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        language: str | None = None,
    ) -> App: ...
    def rotate_secret(self, app_id: int, secret: bytes, *, keep_until: datetime | None, now: datetime) -> App:
        """Put a new identity secret in force; the one before holds until then besides. Raises APP_NOT_FOUND."""
        ...

    def end_earlier_secret(self, app_id: int) -> App: ...


class Credentials(Protocol):
    """Integrations and their keys. At most one key of an integration is current; adding one retires the one before."""

    def ensure_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration: ...
    def integration(self, app_id: int, provider: str) -> Integration | None: ...
    def integrations(self, app_id: int) -> list[Integration]: ...
    def add_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration | None:
        """Store a further integration; None when the App has one of that provider with that label."""
        ...

    def find(self, app_id: int, public_id: str) -> Integration | None: ...
    def rename(self, integration_id: int, label: str) -> bool:
        """Give it another label; False when another one of its provider has that."""
        ...

    def remove(self, integration_id: int, *, reason: str) -> int:
        """Forget an integration and its keys; its devices expire with that reason, as nothing reaches them."""
        ...

    def set_integration(self, integration_id: int, *, settings: Mapping[str, str]) -> None: ...
    def pause(self, credential_id: int, origin: str, *, reason: str, now: datetime) -> None:
        """Send nothing more with this key to this origin; the integration then says that it is paused, and why."""
        ...

    def paused(self, app_id: int) -> set[tuple[int, str]]:
        """The (credential id, origin) pairs of an App that are paused."""
        ...

    def resume(self, integration_id: int) -> None:
        """End every pause of an integration's keys."""
        ...

    def add(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential: ...
    def replace(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential:
        """Store a key in the place of the integration's one key, with all devices of it; the first one is added."""
        ...

    def of_integration(self, integration_id: int) -> list[Credential]: ...
    def current(self, app_id: int, provider: str) -> Credential | None: ...
    def by_fingerprint(self, app_id: int, provider: str, fingerprint: str) -> Credential | None: ...
    def by_id(self, credential_id: int) -> Credential | None: ...
    def all(self, app_id: int, provider: str) -> list[Credential]: ...
    def set_status(self, credential_id: int, status: CredentialStatus) -> None: ...
    def set_settings(self, credential_id: int, settings: Mapping[str, str]) -> None: ...
    def unseen(self, integration_id: int, *, since: datetime) -> int:
        """Count the active devices of an integration that were last seen before that."""
        ...

    def usage(self, app_id: int, provider: str) -> dict[int, int]:
        """Count active subscriptions by the credential they were made with."""
        ...


class Users(Protocol):
    """People the Apps know."""

    def put(
        self,
        app_id: int,
        external_id: str,
        *,
        attributes: Mapping[str, Any] | None,
        locale: str | None,
        time_zone: str | None,
        now: datetime,
    ) -> tuple[User, bool]: ...
    def get(self, app_id: int, external_id: str) -> User | None: ...
    def page(self, app_id: int, *, after: int, limit: int) -> list[User]: ...
    def delete(self, app_id: int, external_id: str) -> bool: ...


class Subscriptions(Protocol):
    """Browsers and devices. One row per (App, address); addresses are sealed, found by a keyed hash."""

    def find(self, app_id: int, target: str) -> tuple[Subscription, bytes] | None:
        """Find by address; the bytes are the hash of the subscription's secret."""
        ...

    def hold(
        self, app_id: int, *, target: str | None = None, public_id: str | None = None
    ) -> tuple[Known | None, Known | None]:
        """Find the row with this address and the row with this id, and keep both from changing until the end."""
        ...

    def exchange(self, one: int, other: int) -> None:
        """Give each of two rows the address of the other, with the push service and key that belong to it."""
        ...

    def add(self, new: NewSubscription, *, public_id: str, secret_hash: bytes, now: datetime) -> Subscription: ...
    def refresh(
        self, subscription_id: int, new: NewSubscription, *, secret_hash: bytes | None, now: datetime
    ) -> Subscription:
        """Store a repeated registration: active again, seen now, with its new keys, owner, locale and tags."""
        ...

    def add_many(self, rows: Iterable[tuple[NewSubscription, str, bytes]], *, now: datetime) -> tuple[int, int]:
        """Import (subscription, public id, secret hash); count the new and the known (left as they were)."""
        ...

    def get(self, app_id: int, public_id: str) -> Subscription | None: ...
    def by_id(self, subscription_id: int) -> Subscription | None: ...
    def set_user(self, subscription_id: int, user_external_id: str | None) -> None: ...
    def set_tags(self, subscription_id: int, tags: Mapping[str, str]) -> None: ...
    def set_status(self, subscription_id: int, status: SubscriptionStatus, reason: str) -> None: ...
    def delete(self, app_id: int, public_id: str) -> bool: ...
    def address(self, subscription_id: int) -> Address | None:
        """Give the stored address, whatever the subscription's status."""
        ...

    def expire_made_with(self, credential_id: int, *, reason: str) -> int:
        """Expire every active subscription that was made with this credential; give how many."""
        ...

    def page(
        self,
        app_id: int,
        *,
        after: int,
        limit: int,
        status: SubscriptionStatus | None = None,
        user_external_id: str | None = None,
        integration_id: int | None = None,
        search: str = "",
    ) -> list[Subscription]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def statuses(self, app_id: int) -> dict[SubscriptionStatus, int]: ...
    def count(self, app_id: int, audience: Audience) -> int: ...
    def ceiling(self, app_id: int) -> int: ...
    def reached_since(self, credential_id: int, origin: str, *, since: datetime) -> bool:
        """Whether that origin took a message made with this key since then, for anybody who is still active."""
        ...

    def first_subscribed_user(self, app_id: int) -> str | None: ...
    def newest_device(self, app_id: int) -> str | None: ...
    def cut(self, app_id: int, audience: Audience, *, ceiling: int, size: int) -> list[tuple[int, int, int]]:
        """Cut the audience into (low id, high id, count) ranges of about `size` recipients, without copying them."""
        ...

    def recipients(self, app_id: int, audience: Audience, *, after: int, high: int, limit: int) -> list[Recipient]:
        """Read the next recipients with after < id <= high, by id; only active ones that have a credential."""
        ...

    def recipients_by_id(self, ids: Sequence[int], *, of: Audience = ...) -> list[Recipient]: ...
    def misplaced(self, ids: Collection[int]) -> dict[int, Suspected]: ...
    def count_misplaced(self, integration_id: int) -> int: ...
    def people(self, ids: Sequence[int]) -> dict[int, Person]:
        """Give who uses each of these subscriptions: what the App's server and the device itself have said."""
        ...

    def forget_suspicions(self, *, before: datetime) -> int:
        """Forget what was last held against an address before then; give how many rows."""
        ...

    def export(self, app_id: int) -> Iterator[tuple[Subscription, Recipient]]: ...


class Tracked(Protocol):
    """What devices did on their sites. A device's event with a known key is the one that is there."""

    def add(self, new: NewTrackedEvent, *, public_id: str, now: datetime) -> str: ...
    def knows(self, new: NewTrackedEvent) -> bool: ...
    def nth_newest(self, subscription_id: int, n: int) -> datetime | None:
        """When the device's n-th newest event was stored; None when it has fewer."""
        ...

    def page(self, subscription_id: int, *, after: int, limit: int) -> list[TrackedEvent]: ...
    def of_user(self, app_id: int, user_external_id: str, *, after: int, limit: int) -> list[TrackedEvent]:
        """List what a person did on any device, oldest first."""
        ...

    def forget_user(self, app_id: int, user_external_id: str) -> int: ...
    def purge(self, *, before: datetime, limit: int) -> int: ...


class Notifications(Protocol):
    """Messages to audiences."""

    def add(
        self,
        new: NewNotification,
        *,
        public_id: str,
        audience: int,
        ceiling: int,
        now: datetime,
        held: HoldReason | None = None,
    ) -> Notification:
        """Store a request to send; one that is `held` begins paused."""
        ...

    def get(self, app_id: int, public_id: str) -> Notification | None: ...
    def by_id(self, notification_id: int) -> Notification | None: ...
    def wanted(self, notification_id: int) -> bool:
        """Say whether it is to be sent now: neither it nor all sending is paused, and it has not ended."""
        ...

    def page(self, app_id: int, *, after: int, limit: int) -> list[Notification]: ...
    def totals(self, app_id: int, *, since: datetime) -> Counts:
        """Add up the counters of the notifications made since then."""
        ...

    def set_status(
        self, notification_id: int, to: NotificationStatus, *, allowed_from: Sequence[NotificationStatus], now: datetime
    ) -> bool:
        """Change the status if it is one of `allowed_from`; False when it is not."""
        ...

    def held(self, app_id: int | None) -> int:
        """Count what the tripwire holds, of one App or of all."""
        ...

    def held_ids(self, app_id: int, *, limit: int) -> list[int]:
        """Ids of what the tripwire holds, the oldest first."""
        ...

    def due(self, *, now: datetime, limit: int) -> list[int]:
        """Ids of queued notifications without shards whose time has come."""
        ...

    def stopped(self, ids: Collection[int]) -> set[int]:
        """Those of the ids whose notification is not to be sent now."""
        ...

    def left_behind(self, *, now: datetime, limit: int) -> list[int]:
        """Ids of cancelled notifications with a shard whose holder's lease ran out: nobody else will finish them."""
        ...

    def finish_if_settled(self, notification_id: int, *, now: datetime) -> bool:
        """Mark done when no shard of it is open; whatever the counters lack was skipped. True when this call did it."""
        ...


class Shards(Protocol):
    """Parts of notifications, claimed under a lease with a fencing token."""

    def add(self, shards: Sequence[NewShard], *, now: datetime) -> list[int]:
        """Store shards; one that exists already, by (notification, n), is left alone."""
        ...

    def add_plan(self, notification_id: int, shards: Sequence[NewShard], *, now: datetime) -> list[int]: ...
    def ready(self, *, now: datetime, limit: int, least: Priority = Priority.LOW) -> list[int]:
        """Ids of shards that may be claimed now: ready and due, or leased with the lease run out.

        Of the priority `least` or a more urgent one; fair over Apps and priorities.
        """
        ...

    def claim(self, shard_id: int, *, owner: str, now: datetime, lease: float) -> Shard | None:
        """Claim for `lease` seconds, atomically; None if somebody has it or its notification is not being sent."""
        ...

    def renew(self, shard_id: int, lease_token: int, *, now: datetime, lease: float) -> bool: ...
    def open_chunk(self, shard_id: int, lease_token: int, chunk: int, *, high: int) -> bool: ...
    def settle(self, settlement: Settlement, *, now: datetime) -> bool:
        """Store everything one chunk changed; False, and nothing stored, when the lease was lost."""
        ...

    def finish(self, shard_id: int, lease_token: int) -> bool: ...
    def release(self, shard_id: int, lease_token: int, *, not_before: datetime | None = None) -> bool: ...
    def stumble(self, shard_id: int, *, owner: str, fault: str, now: datetime, lease: float) -> None:
        """Count a claim of a shard that cannot even be read, and leave it alone for `lease` seconds."""
        ...

    def note_fault(self, shard_id: int, lease_token: int, fault: str) -> bool: ...
    def bury(self, shard_id: int, lease_token: int, *, because: str, now: datetime) -> bool:
        """Give the shard up: it is dead, and whoever it did not reach is skipped as in doubt."""
        ...

    def dead(self, *, app_ids: Collection[int] | None, after: int, limit: int) -> list[DeadShard]: ...
    def dead_shard(self, shard_id: int) -> DeadShard | None: ...
    def requeue(self, shard_id: int, *, now: datetime) -> bool:
        """Make a dead shard ready again, and its notification one that is being sent; False when it is not dead."""
        ...

    def drop(self, shard_id: int) -> bool: ...

    def free_leases(self, *, now: datetime) -> int:
        """Let every lease end now; only for a process that knows that nobody else carries shards."""
        ...

    def latest(self) -> datetime | None:
        """When the newest notification was made."""
        ...

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> int:
        """Let what was due before the clock went back from `was` be due now; give how much that was."""
        ...

    def open_count(self, notification_id: int) -> int: ...
    def lag(self, *, now: datetime) -> float:
        """Seconds since the oldest due shard should have been claimed; 0 when none waits."""
        ...


class Deliveries(Protocol):
    """The final state of each recipient."""

    def page(self, notification_id: int, *, after: int, limit: int) -> list[SettledDelivery]: ...
    def statuses(self, notification_id: int) -> dict[int, int]: ...
    def of_subscription(
        self, subscription_id: int, *, limit: int, before: int = 0
    ) -> list[tuple[int, SettledDelivery, datetime]]: ...
    def history(self, subscription_id: int, *, after: int, limit: int) -> list[tuple[int, SettledDelivery, datetime]]:
        """List the same, oldest first; `after` is the notification last seen, 0 to begin."""
        ...


class Receipts(Protocol):
    """What people did with notifications."""

    def add(self, receipt: Receipt) -> bool:
        """Store and count; False when the same receipt is there already."""
        ...

    def counts(self, notification_id: int) -> Counts: ...
    def answers(self, notification_id: int) -> dict[str, int]: ...
    def of_subscription(self, subscription_id: int, *, after: tuple[int, str], limit: int) -> list[Receipt]:
        """List what a device reported, by notification and event; `after` is that of the last one seen."""
        ...


class Access(Protocol):
    """API keys and one-time set-up links; all by hash."""

    def add_key(
        self,
        *,
        public_id: str,
        app_id: int | None,
        name: str,
        prefix: str,
        key_hash: bytes,
        scopes: Sequence[str],
        now: datetime,
        created_by: str | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey: ...
    def key_by_hash(self, key_hash: bytes) -> ApiKey | None: ...
    def keys(self) -> list[ApiKey]: ...
    def touch_key(self, key_id: int, *, now: datetime) -> None: ...
    def revoke_key(self, public_id: str, *, now: datetime) -> bool: ...
    def purge(self, *, now: datetime) -> int:
        """Forget set-up links whose time is over; give how many."""
        ...

    def add_setup_token(self, *, token_hash: bytes, expires_at: datetime, member_id: int | None = None) -> None: ...
    def setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None: ...
    def spend_setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None:
        """Use a one-time link up; None unless this is the first use before its end."""
        ...

    def forget_setup_tokens(self) -> None:
        """End every link that would make a first member."""
        ...


class Idempotency(Protocol):
    """What was answered to which Idempotency-Key."""

    def find(self, app_id: int, key: str) -> tuple[bytes, bytes] | None:
        """Give (hash of the request, stored answer) if the key is known."""
        ...

    def put(self, app_id: int, key: str, *, request_hash: bytes, answer: bytes, now: datetime) -> None: ...
    def purge(self, *, before: datetime) -> int: ...


class Instance(Protocol):
    """What concerns the whole instance: small values by name, workers' signs of life, and the state of the database."""

    def value(self, name: str) -> bytes | None: ...
    def set_value(self, name: str, value: bytes) -> None: ...
    def beat(self, heartbeat: Heartbeat) -> None: ...
    def heartbeats(self, *, since: datetime) -> list[Heartbeat]: ...
    def leave(self, worker_id: str) -> None: ...
    def forget_silent(self, *, before: datetime) -> int:
        """Forget workers that were last seen before then; give how many."""
        ...

    def pause(self, paused: GlobalPause) -> None:
        """Let nobody send anything from now on; in force once this is committed."""
        ...

    def resume(self) -> bool:
        """Let sending go on; False when nothing was paused."""
        ...

    def paused(self) -> GlobalPause | None: ...
    def vitals(self, *, now: datetime, alive_since: datetime) -> Vitals: ...
    def schema_step(self) -> str | None:
        """The step the database is at."""
        ...


class Volumes(Protocol):
    """What the tripwire counts: recipients asked for by minute, and words that went to most subscribers."""

    def add(self, app_id: int, recipients: int, *, lot: int, now: datetime) -> None:
        """Count recipients; requests with different lots do not wait for each other."""
        ...

    def since(self, app_id: int, moment: datetime) -> int: ...
    def forget(self, app_id: int) -> None: ...
    def broadcast(self, app_id: int, content: bytes, *, within: timedelta, now: datetime) -> datetime | None:
        """Remember words that go to most; give when the same ones went out before, if within that time."""
        ...

    def purge(self, *, before: datetime) -> int: ...


class Stats(Protocol):
    """What is counted by day: written as it happens, rolled up in the background, kept longer than what it counts."""

    def roll_up(self, *, limit: int, naming: Naming) -> int:
        """Add the oldest tallies to the counts of their days; give how many there were."""
        ...

    def counts(self, scale: Scale, *, naming: Naming) -> dict[tuple[str, str], int]:
        """Give counts by (value of the dimension, outcome), with what is not rolled up yet."""
        ...

    def waiting(self) -> int: ...
    def purge(self, *, before: date, limit: int) -> int: ...


class Retention(Protocol):
    """What has had its time; each call removes `limit` rows at most."""

    def details_due(self, *, before: datetime, limit: int) -> list[int]: ...
    def clear_details(self, notification_id: int, *, limit: int, now: datetime) -> int: ...
    def notifications_due(self, *, before: datetime, limit: int) -> list[int]: ...
    def forget_notifications(self, ids: list[int]) -> int: ...
    def devices_due(self, *, before: datetime, after: int, limit: int) -> list[int]: ...
    def forget_device(self, subscription_id: int, *, before: datetime, limit: int) -> int: ...


class Erasures(Protocol):
    """Erasing somebody's data. The first transaction ends all sending; steps then remove what hangs on the subject."""

    def user(self, app: App, external_id: str, *, public_id: str, now: datetime) -> Erasure: ...
    def device(self, app: App, subscription: str, *, public_id: str, now: datetime) -> Erasure | None: ...
    def app(self, app: App, *, public_id: str, now: datetime) -> Erasure: ...
    def get(self, public_id: str) -> Erasure | None: ...
    def page(self, app_id: int, *, after: int, limit: int) -> list[Erasure]: ...
    def running(self, *, limit: int) -> list[int]: ...
    def note_in_hand(self, erasure_id: int, *, now: datetime) -> int:
        """Note the chunks that may hold a message to the subject; asked after the first transaction."""
        ...

    def still_in_hand(self, erasure_id: int, *, now: datetime) -> int: ...
    def step(self, erasure_id: int, *, limit: int, now: datetime) -> bool:
        """Remove up to `limit` rows; False when it is done, or waits for chunks that are being sent."""
        ...

    def addressed(
        self, app_id: int, sought: Sought, *, after: int, limit: int
    ) -> tuple[int | None, list[tuple[str, Message, datetime]]]:
        """Look through an App's notifications for those whose audience names somebody.

        Gives (public id, message, when) of those found, and where to go on; None at the end.
        """
        ...


class Transaction(Protocol):
    """One transaction's view of everything stored."""

    apps: Apps
    credentials: Credentials
    users: Users
    subscriptions: Subscriptions
    relays: Relays
    tracked: Tracked
    event_types: EventTypes
    events: Events
    triggers: Triggers
    firings: Firings
    lanes: Lanes
    notifications: Notifications
    shards: Shards
    deliveries: Deliveries
    receipts: Receipts
    access: Access
    idempotency: Idempotency
    instance: Instance
    segments: Segments
    follows: Follows
    volumes: Volumes
    stats: Stats
    retention: Retention
    erasures: Erasures
    members: Members
    sessions: Sessions
    factors: Factors
    oidc: Oidc
    throttle: Throttle
    audit: Audit
    templates: Templates
    kinds: Kinds
    preferences: Preferences
    feed: Feed


class Store(Protocol):
    """A database. Its methods may be awaited from one event loop; `close` ends its threads."""

    @property
    def sealer(self) -> Sealer: ...
    @property
    def waiting(self) -> int:
        """How many works wait for the database."""
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T: ...
    async def write(self, work: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        """Run a work; an urgent one, that somebody waits for, overtakes what waits."""
        ...

    async def close(self) -> None: ...


class StoreUnavailable(Exception):
    """The database cannot take this now (locked, full, away); nothing of the work was stored."""


class OutcomeUnknown(StoreUnavailable):
    """The database went away while it committed: the work was stored whole, or not at all, and nobody can say which."""
