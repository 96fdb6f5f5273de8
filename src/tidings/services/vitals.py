"""What the database knows of how the instance is doing, as metrics: refreshed whenever somebody looks."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from tidings import __version__
from tidings.domain.vitals import Vitals
from tidings.lib.clock import Clock
from tidings.lib.metrics import Metrics
from tidings.providers import CHANNELS, provider
from tidings.services.attention import next_ends
from tidings.services.system import WORKER_SILENCE, Storing
from tidings.storage import Store, StoreUnavailable


class Metric(StrEnum):
    """What is told. All but the first three come from the database, and are the same whichever server is asked."""

    INFO = "tidings_info"
    DATABASE_UP = "tidings_database_up"
    STORE_WAITING = "tidings_store_waiting"
    WORKERS = "tidings_workers"
    QUEUE_LAG = "tidings_queue_lag_seconds"
    SHARDS = "tidings_shards"
    IN_DOUBT = "tidings_chunks_in_doubt"
    HELD = "tidings_notifications_held"
    PAUSED = "tidings_paused"
    PAUSED_KEYS = "tidings_paused_keys"
    CREDENTIALS_EXPIRE = "tidings_credentials_expire_seconds"
    WEBHOOK_MESSAGES = "tidings_webhook_messages_waiting"
    WEBHOOK_UNTOLD = "tidings_webhook_untold"
    WEBHOOK_LAG = "tidings_webhook_lag_seconds"
    WEBHOOKS = "tidings_webhooks"


class Label(StrEnum):
    """What they are told apart by."""

    VERSION = "version"
    STATUS = "status"
    SERVICE = "service"
    PROVIDER = "provider"


class VitalSigns:
    """Gauges in the registry that /metrics shows."""

    def __init__(self, *, store: Store, clock: Clock, metrics: Metrics, storing: Storing) -> None:
        self._store = store
        self._storing = storing
        self._clock = clock
        metrics.gauge(Metric.INFO, "The version that runs.", labels=[Label.VERSION]).labels(__version__).set(1)
        self._up = metrics.gauge(Metric.DATABASE_UP, "1 while the database answers and takes what is to be stored.")
        waiting = metrics.gauge(Metric.STORE_WAITING, "Works that wait for the database in this process.")
        waiting.set_function(lambda: store.waiting)
        self._workers = metrics.gauge(Metric.WORKERS, "Workers that gave a sign of life within 15 seconds.")
        self._lag = metrics.gauge(Metric.QUEUE_LAG, "How late the oldest due shard is.")
        self._shards = metrics.gauge(
            Metric.SHARDS, "Shards that are not done, counted to 10000.", labels=[Label.STATUS]
        )
        self._in_doubt = metrics.gauge(Metric.IN_DOUBT, "Chunks that may or may not have left: their holder is gone.")
        self._held = metrics.gauge(Metric.HELD, "Notifications that the tripwire holds.")
        self._paused = metrics.gauge(Metric.PAUSED, "1 while all sending is paused.")
        self._keys = metrics.gauge(
            Metric.PAUSED_KEYS, "Keys that a push service refuses, and that rest there.", labels=[Label.SERVICE]
        )
        self._expire = metrics.gauge(
            Metric.CREDENTIALS_EXPIRE,
            "Seconds until the next credentials of any App end, negative when they have; none where none end.",
            labels=[Label.PROVIDER],
        )
        self._messages = metrics.gauge(Metric.WEBHOOK_MESSAGES, "Messages that webhooks wait for, counted to 10000.")
        self._untold = metrics.gauge(
            Metric.WEBHOOK_UNTOLD, "Rows of what happened that no message was made of yet, counted to 10000."
        )
        self._webhook_lag = metrics.gauge(
            Metric.WEBHOOK_LAG, "How late the oldest message is to a webhook that did not fail."
        )
        self._webhooks = metrics.gauge(
            Metric.WEBHOOKS, "Webhooks that failed last, or were turned off for it.", labels=[Label.STATUS]
        )

    async def refresh(self) -> None:
        """Ask the database; where it does not answer, that is what is told, and nothing old."""
        now = self._clock.now()
        try:
            found, ends = await self._store.read(
                lambda tx: (tx.instance.vitals(now=now, alive_since=now - WORKER_SILENCE), next_ends(tx))
            )
        except StoreUnavailable:
            self._up.set(0)
            plain = (self._workers, self._lag, self._in_doubt, self._held, self._paused)
            for gauge in (*plain, self._messages, self._untold, self._webhook_lag):
                gauge.set(float("nan"))
            self._shards.clear()
            self._webhooks.clear()
            self._keys.clear()
            self._expire.clear()
            return
        self._up.set(not self._storing.refused())
        self._show(found)
        self._expire.clear()
        for name, end in ends.items():
            self._expire.labels(name).set((end - now).total_seconds())

    def _show(self, found: Vitals) -> None:
        self._workers.set(found.workers)
        self._lag.set(max(0.0, found.lag))
        for status, count in (("ready", found.ready), ("leased", found.leased), ("dead", found.dead)):
            self._shards.labels(status).set(count)
        self._in_doubt.set(found.in_doubt)
        self._held.set(found.held)
        self._paused.set(found.paused)
        self._messages.set(found.webhooks.waiting)
        self._untold.set(found.webhooks.untold)
        self._webhook_lag.set(found.webhooks.lag)
        self._webhooks.labels("failing").set(found.webhooks.failing)
        self._webhooks.labels("turned_off").set(found.webhooks.turned_off)
        resting = Counter({service: 0 for name in CHANNELS for service in provider(name).services})
        for (name, origin), count in found.paused_origins.items():
            resting[provider(name).service(origin)] += count
        for service, count in resting.items():
            self._keys.labels(service).set(count)
