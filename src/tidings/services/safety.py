"""The pause of the whole instance: nothing is sent by any worker until somebody resumes it."""

from __future__ import annotations

from enum import StrEnum

from tidings.bus import Bell, Bus, Doorbell
from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.safety import GlobalPause
from tidings.lib.clock import Clock
from tidings.lib.log import Logger, cut
from tidings.storage import Store, Transaction

EVERYTHING = 0
"""In place of a notification's id in a doorbell that is about all of them."""


_EVERYTHING = Subject("instance")


class Event(StrEnum):
    """What is logged of it."""

    SENDING_PAUSED = "sending_paused"
    SENDING_RESUMED = "sending_resumed"


log = Logger(__name__)


class Safety:
    """Stops all sending, and lets it go on."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def pause(self, *, by: Actor, reason: str = "") -> GlobalPause:
        """Stop all sending after the chunks in hand; the first pause stays as it is. Times to live go on."""
        now = self._clock.now()
        wanted = GlobalPause(since=now, by=by.name, reason=reason)

        def store(tx: Transaction) -> tuple[GlobalPause, bool]:
            known = tx.instance.paused()
            if known is None:
                tx.instance.pause(wanted)
                tx.audit.add(
                    by, Action.SENDING_PAUSED, app_id=None, subject=_EVERYTHING, detail={"reason": reason}, now=now
                )
            return known or wanted, known is None

        paused, new = await self._store.write(store, urgent=True)
        if new:
            log.warning(Event.SENDING_PAUSED, by=cut(by.name), reason=cut(reason))
            await self._bus.ring(Doorbell(Bell.CONTROL, EVERYTHING))
        return paused

    async def resume(self, *, by: Actor) -> bool:
        """Let sending go on; False when it was not paused."""
        now = self._clock.now()

        def resume(tx: Transaction) -> bool:
            if not tx.instance.resume():
                return False
            tx.audit.add(by, Action.SENDING_RESUMED, app_id=None, subject=_EVERYTHING, now=now)
            return True

        resumed = await self._store.write(resume)
        if resumed:
            log.warning(Event.SENDING_RESUMED, by=cut(by.name))
            await self._bus.ring(Doorbell(Bell.WORK, EVERYTHING))
        return resumed

    async def paused(self) -> GlobalPause | None:
        """Give the pause that is in force, if there is one."""
        return await self._store.read(lambda tx: tx.instance.paused())
