"""The ports of what is kept and for how long: daily counts, retention, erasure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from tidings.domain.app import App
from tidings.domain.erasure import Erasure, Sought
from tidings.domain.message import Message
from tidings.domain.stats import Naming, Scale, Step


class Stats(Protocol):
    """What is counted by day: written as it happens, rolled up in the background, kept longer than what it counts."""

    def add_step(self, app_id: int, step: Step, *, device: str, now: datetime) -> None:
        """Count that somebody on such a device took a step, and nothing else of them."""
        ...

    def roll_up(self, *, limit: int, naming: Naming) -> int:
        """Add the oldest tallies to the counts of their days; give how many there were."""
        ...

    def add_up_subscriptions(self, *, limit: int) -> int:
        """Add up rows that count subscriptions of the same App and status; give how many there were."""
        ...

    def counts(self, scale: Scale, *, naming: Naming) -> dict[tuple[str, str], int]:
        """Give counts by (value of the dimension, outcome), with what is not rolled up yet."""
        ...

    def by_minute(self, app_id: int, notification_id: int) -> dict[tuple[int, str], int]:
        """Give what people did with a notification that went to many: counts by (minute since 1970, outcome)."""
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
