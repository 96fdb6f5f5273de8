"""The state of the instance: what the overview shows, what `tidings doctor` and the probes ask."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidings import __version__
from tidings.domain.app import CredentialStatus, Heartbeat
from tidings.domain.campaign import Counts, Notification
from tidings.domain.delivery import DeliveryStatus
from tidings.domain.safety import GlobalPause
from tidings.domain.stats import Dimension, Scale
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import Clock
from tidings.providers import BROWSER
from tidings.services.attention import Item, attention
from tidings.services.stats import NAMING, USUAL_DAYS
from tidings.settings import Settings
from tidings.storage import Store, StoreUnavailable, Transaction
from tidings.storage.open import is_behind, sqlite_facts

WORKER_SILENCE = timedelta(seconds=15)
"""A worker that has not beaten for so long counts as gone."""

LAST_NOTIFICATIONS = 5

TRIED = "tried_to_store_at"
"""What is stored to see whether anything can be."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Which database keeps the state; `version` is known for SQLite, `warning` is for one with a known fault."""

    kind: str
    version: str | None
    warning: str | None


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What is set up in one App."""

    id: int
    public_id: str
    name: str
    origins: tuple[str, ...]
    key_configured: bool
    contact: str | None
    paused_because: str | None
    subscriptions: dict[SubscriptionStatus, int]
    attention: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """Everything `doctor` and Settings / System show. `queue_lag_seconds` is how late the oldest due shard is."""

    version: str
    python: str
    platform: str
    now: datetime
    database: DatabaseFacts
    workers: list[Heartbeat]
    queue_lag_seconds: float
    paused: GlobalPause | None
    apps: list[AppFacts]
    public_url: str | None
    insecure_endpoints: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """One App at a glance; `totals` are what was counted in the last 30 days, as analytics have it."""

    subscriptions: dict[SubscriptionStatus, int]
    totals: Counts
    notifications: list[Notification]
    workers: int
    queue_lag_seconds: float
    paused: GlobalPause | None
    held: int
    attention: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the instance can do its work: its database is up to date, and a worker is alive.

    A pause of all sending is somebody's wish, and no reason to take the server out of service.
    """

    workers: int
    behind: bool = False
    paused: bool = False

    @property
    def ready(self) -> bool:
        """Whether everything needed is there."""
        return self.workers > 0 and not self.behind


class Storing:
    """Tells whether anything can be stored: a database that is full or locked is read all the same.

    Where the last could not be, it is tried again beside whoever asks: a server that gets no requests while it is
    unready would never find out.
    """

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._trial: asyncio.Task[None] | None = None

    def refused(self) -> bool:
        """Say so, and let it be tried."""
        refused = self._store.refuses
        if refused and (self._trial is None or self._trial.done()):
            self._trial = asyncio.get_running_loop().create_task(self._try())
        return refused

    async def _try(self) -> None:
        moment = self._clock.now().isoformat().encode()
        with suppress(StoreUnavailable):
            await self._store.write(lambda tx: tx.instance.set_value(TRIED, moment), urgent=True)


class System:
    """Looks at the instance as a whole."""

    def __init__(self, *, store: Store, clock: Clock, settings: Settings, storing: Storing) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._storing = storing

    async def facts(self) -> SystemFacts:
        """Gather the facts."""
        now = self._clock.now()

        def look(tx: Transaction) -> tuple[list[Heartbeat], float, GlobalPause | None, list[AppFacts]]:
            return _alive(tx, now), tx.shards.lag(now=now), tx.instance.paused(), _app_facts(tx, now)

        workers, lag, paused, apps = await self._store.read(look)
        return SystemFacts(
            version=__version__,
            python=platform.python_version(),
            platform=platform.platform(terse=True),
            now=now,
            database=_database_facts(self._settings),
            workers=workers,
            queue_lag_seconds=lag,
            paused=paused,
            apps=apps,
            public_url=self._settings.public_url,
            insecure_endpoints=self._settings.allow_insecure_endpoints,
        )

    async def overview(self, app_id: int) -> Overview:
        """Gather what the first page of the dashboard shows of one App."""
        now = self._clock.now()
        return await self._store.read(
            lambda tx: Overview(
                subscriptions=_statuses(tx, app_id),
                totals=_totals(tx, app_id, now=now),
                notifications=tx.notifications.page(app_id, after=0, limit=LAST_NOTIFICATIONS),
                workers=len(_alive(tx, now)),
                queue_lag_seconds=tx.shards.lag(now=now),
                paused=tx.instance.paused(),
                held=tx.notifications.held(app_id),
                attention=attention(tx, app_id, now=now),
            )
        )

    async def readiness(self) -> Readiness:
        """Ask the database, and count the workers. Raises StoreUnavailable, also where nothing can be stored."""
        if self._storing.refused():
            raise StoreUnavailable("The database does not take what is to be stored.")
        now = self._clock.now()
        return await self._store.read(
            lambda tx: Readiness(
                workers=len(_alive(tx, now)),
                behind=is_behind(tx.instance.schema_step()),
                paused=tx.instance.paused() is not None,
            )
        )


def _database_facts(settings: Settings) -> DatabaseFacts:
    if settings.database_url is not None:
        return DatabaseFacts("postgresql", None, None)
    facts = sqlite_facts()
    warning = (
        f"SQLite {facts.version} has a fault in its write-ahead log that 3.51.3 mends; "
        "Tidings writes with one connection, which avoids it. Let no other program open the database."
    )
    return DatabaseFacts("sqlite", facts.version, warning if facts.wal_reset_bug else None)


def _alive(tx: Transaction, now: datetime) -> list[Heartbeat]:
    return tx.instance.heartbeats(since=now - WORKER_SILENCE)


def _totals(tx: Transaction, app_id: int, *, now: datetime) -> Counts:
    """Add up days: to add up notifications takes longer the more there are, and a chat makes one for each message."""
    last = now.date()
    scale = Scale(app_id, last - timedelta(days=USUAL_DAYS - 1), last, Dimension.SOURCE)
    found: Counter[str] = Counter()
    for (_, outcome), count in tx.stats.counts(scale, naming=NAMING).items():
        found[outcome] += count
    return Counts(audience=sum(found[status.name.lower()] for status in DeliveryStatus), **found)


def _statuses(tx: Transaction, app_id: int) -> dict[SubscriptionStatus, int]:
    found = tx.subscriptions.statuses(app_id)
    return {status: found.get(status, 0) for status in SubscriptionStatus}


def _app_facts(tx: Transaction, now: datetime) -> list[AppFacts]:
    facts = []
    for app in tx.apps.all():
        integration = tx.credentials.integration(app.id, BROWSER)
        current = tx.credentials.current(app.id, BROWSER)
        settings = {**(integration.settings if integration else {}), **(current.settings if current else {})}
        facts.append(
            AppFacts(
                id=app.id,
                public_id=app.public_id,
                name=app.name,
                origins=app.origins,
                key_configured=current is not None and current.status is CredentialStatus.CURRENT,
                contact=settings.get("subject"),
                paused_because=integration.paused_because if integration else None,
                subscriptions=_statuses(tx, app.id),
                attention=attention(tx, app.id, now=now),
            )
        )
    return facts
