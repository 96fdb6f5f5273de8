"""Settings -> Container: the only place that builds concrete things."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from tidings.bus import Bus, bus_from
from tidings.domain.safety import TripLimits
from tidings.lib.clock import Clock, SystemClock
from tidings.lib.detours import whole_hosts
from tidings.lib.egress import AddressGuard, HostPolicy, getaddrinfo
from tidings.lib.fetch import WHERE_A_URL_LEADS, Fetcher
from tidings.lib.ids import Ids
from tidings.lib.metrics import Metrics
from tidings.lib.opaque import OpaquePairs
from tidings.lib.outcalls import Call, caller
from tidings.lib.process_metrics import ProcessMetrics
from tidings.lib.ratelimit import GcraLimiter, Limiter
from tidings.lib.sealed import KeyRingError, find_key_ring
from tidings.pipeline.flow import Flow
from tidings.providers import provider
from tidings.providers.webpush.settings import default_policy
from tidings.services.access import Access
from tidings.services.apps import Apps
from tidings.services.credentials import Credentials
from tidings.services.dead_shards import DeadShards
from tidings.services.erasure import Erasure
from tidings.services.export import Export
from tidings.services.images import Images
from tidings.services.notifications import Notifications
from tidings.services.outlooks import Outlooks
from tidings.services.retention import KeepFor, Retention
from tidings.services.safety import Safety
from tidings.services.stats import Stats
from tidings.services.subscriptions import Subscriptions
from tidings.services.system import Storing, System
from tidings.services.templates import Templates
from tidings.services.timelines import Timelines
from tidings.services.tracking import Tracking
from tidings.services.transfers import Transfers
from tidings.services.tripwire import Tripwire
from tidings.services.users import Users
from tidings.services.vitals import VitalSigns
from tidings.settings import Settings
from tidings.storage import Store
from tidings.storage.open import open_store
from tidings.wiring.parts import Accounts, Automation, People, Phones, accounts_of

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Finds the addresses of a host."""


@dataclass(frozen=True, slots=True)
class Container:
    """Everything that entry points need, built once. `new_key_file` is set when this start generated the key ring."""

    settings: Settings
    clock: Clock
    ids: Ids
    store: Store
    bus: Bus
    flow: Flow
    deliveries: OpaquePairs
    policy: HostPolicy
    guard: AddressGuard
    fetcher: Fetcher
    limiter: Limiter | None
    apps: Apps
    access: Access
    accounts: Accounts
    credentials: Credentials
    subscriptions: Subscriptions
    phones: Phones
    tracking: Tracking
    timelines: Timelines
    outlooks: Outlooks
    transfers: Transfers
    users: Users
    people: People
    automation: Automation
    notifications: Notifications
    templates: Templates
    images: Images
    system: System
    safety: Safety
    stats: Stats
    retention: Retention
    erasure: Erasure
    export: Export
    dead_shards: DeadShards
    metrics: Metrics
    process: ProcessMetrics
    vitals: VitalSigns
    push_host_map: dict[str, str] = field(default_factory=dict)
    new_key_file: Path | None = None


WEBHOOKS_AT_ONCE = 16
"""Calls of webhooks under way at most: more than one worker begins."""


def push_hosts(settings: Settings) -> dict[str, str]:
    """Read TIDINGS_PUSH_HOST_MAP: `host=address:port` becomes {host: "address:port"}, `host/path/=` the same."""
    pairs = [entry.partition("=") for entry in settings.push_host_map]
    return {host: address for host, _, address in pairs}


def _fetcher(settings: Settings, guard: AddressGuard, at_once: int | None = None) -> Fetcher:
    policy = replace(WHERE_A_URL_LEADS, allow_insecure=settings.allow_insecure_endpoints)
    return Fetcher(guard=guard, policy=policy, at_once=at_once)


def _limits(settings: Settings) -> TripLimits:
    return TripLimits(
        recipients=settings.tripwire_recipients,
        times=settings.tripwire_times,
        window=timedelta(minutes=settings.tripwire_minutes),
        repeat=timedelta(minutes=settings.tripwire_repeat_minutes),
    )


def _policy(settings: Settings, hosts: Mapping[str, str]) -> HostPolicy:
    return default_policy(
        extra_hosts=settings.extra_push_hosts,
        mapped_hosts=whole_hosts(hosts),
        allow_insecure=settings.allow_insecure_endpoints,
    )


def _flow(store: Store, bus: Bus, clock: Clock, ids: Ids, deliveries: OpaquePairs) -> Flow:
    return Flow(store=store, bus=bus, clock=clock, ids=ids, deliveries=deliveries, provider=provider)


def _subscriptions(
    store: Store,
    clock: Clock,
    ids: Ids,
    policy: HostPolicy,
    guard: AddressGuard,
    *,
    mapped: Sequence[str],
    resolve: Resolve,
) -> Subscriptions:
    return Subscriptions(
        store=store, clock=clock, ids=ids, policy=policy, guard=guard, mapped_hosts=tuple(mapped), resolve=resolve
    )


def _automation(
    settings: Settings, guard: AddressGuard, store: Store, bus: Bus, clock: Clock, ids: Ids, tripwire: Tripwire
) -> Automation:
    # Receivers of webhooks may hang, and then nobody else's calls do.
    fetcher = _fetcher(settings, guard, at_once=WEBHOOKS_AT_ONCE)
    return Automation.of(store=store, bus=bus, clock=clock, ids=ids, tripwire=tripwire, fetcher=fetcher)


def _keep(settings: Settings) -> KeepFor:
    return KeepFor(
        deliveries=settings.keep_deliveries,
        notifications=settings.keep_notifications,
        events=settings.keep_events,
        subscriptions=settings.keep_subscriptions,
        counts=settings.keep_counts,
        audit=settings.keep_audit,
        feed=settings.keep_feed,
        images=settings.keep_images,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Container]:
    """Build everything for these settings, and close it at the end."""
    folder = settings.data
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    hosts = push_hosts(settings)
    ring, created = find_key_ring(file=settings.key_file, default=folder / "tidings.key", environ=os.environ)
    try:
        store = open_store(database_url=settings.database_url, folder=folder, ring=ring)
    except KeyRingError:
        # The database has another one. A new one in its place would look like the one that belongs there.
        if created is not None:
            created.unlink(missing_ok=True)
        raise
    bus = bus_from(settings.bus_url)
    try:
        container = assembled(settings, store=store, bus=bus, hosts=hosts, created=created)
        try:
            yield container
        finally:
            container.accounts.passwords.close()
    finally:
        await bus.close()
        await store.close()


def assembled(
    settings: Settings,
    *,
    store: Store,
    bus: Bus,
    clock: Clock | None = None,
    resolve: Resolve = getaddrinfo,
    hosts: Mapping[str, str] | None = None,
    created: Path | None = None,
    call: Call | None = None,
) -> Container:
    """Put the parts together around an open store; tests bring their own clock and resolver."""
    hosts, clock, metrics = dict(hosts or {}), clock or SystemClock(), Metrics()
    ids, deliveries = Ids(clock), OpaquePairs(store.sealer.derive("delivery ids"))
    guard = AddressGuard(allow_loopback=settings.allow_insecure_endpoints)
    fetcher, policy, tripwire = _fetcher(settings, guard), _policy(settings, hosts), Tripwire(_limits(settings))
    call = call or caller(guard=guard, connect_to=hosts, insecure=settings.allow_insecure_endpoints)
    storing, flow = Storing(store=store, clock=clock), _flow(store, bus, clock, ids, deliveries)
    subscriptions = _subscriptions(store, clock, ids, policy, guard, mapped=whole_hosts(hosts), resolve=resolve)
    return Container(
        settings=settings,
        clock=clock,
        ids=ids,
        store=store,
        bus=bus,
        flow=flow,
        deliveries=deliveries,
        policy=policy,
        guard=guard,
        fetcher=fetcher,
        limiter=GcraLimiter() if settings.rate_limits else None,
        apps=Apps(store=store, clock=clock, ids=ids),
        access=Access(store=store, clock=clock, ids=ids),
        accounts=accounts_of(settings, store, clock, ids, fetcher),
        credentials=Credentials(store=store, clock=clock, ids=ids, contact=settings.contact),
        subscriptions=subscriptions,
        phones=Phones.of(store=store, clock=clock, ids=ids, policy=policy, flow=flow, call=call),
        tracking=Tracking(store=store, clock=clock, ids=ids),
        timelines=Timelines(store=store, clock=clock),
        outlooks=Outlooks(store=store, clock=clock),
        transfers=Transfers(store=store, clock=clock, ids=ids, subscriptions=subscriptions),
        users=Users(store=store, clock=clock),
        people=People.of(store=store, clock=clock, ids=ids, deliveries=deliveries),
        automation=_automation(settings, guard, store, bus, clock, ids, tripwire),
        templates=Templates(store=store, clock=clock, ids=ids),
        images=Images(store=store, clock=clock, ids=ids),
        notifications=Notifications(store=store, flow=flow, bus=bus, clock=clock, tripwire=tripwire),
        safety=Safety(store=store, bus=bus, clock=clock),
        stats=Stats(store=store, clock=clock),
        retention=Retention(store=store, clock=clock, keep=_keep(settings), metrics=metrics),
        erasure=Erasure(store=store, bus=bus, clock=clock, ids=ids),
        export=Export(store=store, clock=clock),
        dead_shards=DeadShards(store=store, bus=bus, clock=clock),
        metrics=metrics,
        process=ProcessMetrics(metrics),
        vitals=VitalSigns(store=store, clock=clock, metrics=metrics, storing=storing),
        system=System(store=store, clock=clock, settings=settings, storing=storing),
        push_host_map=hosts,
        new_key_file=created,
    )
