"""Where state lives: the ports that the rest of Tidings sees. Only this package knows SQL.

`Store.read` and `Store.write` run a function with a Transaction on a thread of the store: the function is plain,
synchronous and short, does nothing but storage, and may be run again if the database asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tidings.lib.sealed import Sealer
from tidings.storage.ports.accounts import Audit, Factors, Members, Oidc, Sessions, Throttle
from tidings.storage.ports.apps import Apps, Credentials, Users
from tidings.storage.ports.data import Erasures, Retention, Stats
from tidings.storage.ports.events import Events, EventTypes
from tidings.storage.ports.images import Images
from tidings.storage.ports.instance import Access, Idempotency, Instance, Volumes
from tidings.storage.ports.notifications import Deliveries, Notifications, Receipts, Shards
from tidings.storage.ports.outlooks import Outlooks
from tidings.storage.ports.preferences import Feed, FeedFills, Kinds, Preferences
from tidings.storage.ports.relays import Relays
from tidings.storage.ports.segments import Follows, Segments
from tidings.storage.ports.subscriptions import Subscriptions, Tracked
from tidings.storage.ports.templates import Templates
from tidings.storage.ports.triggers import Firings, Lanes, Triggers
from tidings.storage.ports.webhooks import Outbox, WebhookMessages, Webhooks

__all__ = [
    "UNREADABLE",
    "Access",
    "Apps",
    "Audit",
    "Credentials",
    "Deliveries",
    "Erasures",
    "EventTypes",
    "Events",
    "Factors",
    "Feed",
    "FeedFills",
    "Firings",
    "Follows",
    "Idempotency",
    "Images",
    "Instance",
    "Kinds",
    "Lanes",
    "Members",
    "Notifications",
    "Oidc",
    "Outbox",
    "OutcomeUnknown",
    "Outlooks",
    "Preferences",
    "Receipts",
    "Relays",
    "Retention",
    "Segments",
    "Sessions",
    "Shards",
    "Stats",
    "Store",
    "StoreUnavailable",
    "Subscriptions",
    "Templates",
    "Throttle",
    "Tracked",
    "Transaction",
    "Triggers",
    "Users",
    "Volumes",
    "WebhookMessages",
    "Webhooks",
]

T = TypeVar("T")


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
    images: Images
    kinds: Kinds
    preferences: Preferences
    outlooks: Outlooks
    feed: Feed
    feed_fills: FeedFills
    outbox: Outbox
    webhooks: Webhooks
    webhook_messages: WebhookMessages


class Store(Protocol):
    """A database. Its methods may be awaited from one event loop; `close` ends its threads."""

    @property
    def sealer(self) -> Sealer: ...
    @property
    def waiting(self) -> int:
        """How many works wait for the database."""
        ...

    @property
    def refuses(self) -> bool:
        """Whether the database could not take what was last to be stored: it may be read all the same."""
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T: ...
    async def write(self, work: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        """Run a work; an urgent one, that somebody waits for, overtakes what waits."""
        ...

    async def close(self) -> None: ...


class StoreUnavailable(Exception):
    """The database cannot take this now (locked, full, away); nothing of the work was stored."""


UNREADABLE = (ValueError, KeyError, TypeError)
"""What comes of a row that this version has no words for: damaged, or written by a newer one."""


class OutcomeUnknown(StoreUnavailable):
    """The database went away while it committed: the work was stored whole, or not at all, and nobody can say which."""
