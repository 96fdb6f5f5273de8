"""The phones: tokens of each environment, whose they are, what befalls them and what they were told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from tidings.simulator.answers import Answer, Drop, GoAway, Reset
from tidings.simulator.apns.channels import Known
from tidings.simulator.apns.reasons import No
from tidings.simulator.faults import assigned
from tidings.simulator.subscribers import NO_FAULT, Tally


class Mishap(StrEnum):
    """What happens on the way, beside the reasons that Apple states."""

    SLOW = "slow"
    DROPPED = "dropped"
    RESET = "reset"
    GOAWAY = "goaway"


_CUTS: dict[str, Answer] = {Mishap.DROPPED: Drop(), Mishap.RESET: Reset(), Mishap.GOAWAY: GoAway()}


@dataclass(frozen=True, slots=True)
class Fault:
    """A mishap or one of Apple's reasons, met `tries` times by each message and then no more; 0 is for ever."""

    kind: str
    tries: int = 0
    seconds: float = 2.0
    retry_after: int | None = None

    def answer(self, *, now: float) -> Answer | No | None:
        """Give what it makes of a request; None when it only delays."""
        if self.kind == Mishap.SLOW:
            return None
        return _CUTS.get(self.kind) or No(self.kind, "as was asked for", since=now, retry_after=self.retry_after)


@dataclass(slots=True)
class Device:
    """One token. `ended` is when Apple saw that it is dead (Unix seconds), `seen` which messages it has had."""

    token: str
    topic: str
    environment: str
    tally: Tally
    fault: Fault | None = None
    ended: float | None = None
    expired: bool = False
    seen: dict[str, int] = field(default_factory=dict)
    _met: dict[str, int] = field(default_factory=dict)

    def met_by(self, message: str) -> Fault | None:
        """Give the fault that this try meets, None if it passes."""
        fault = self.fault
        if fault is None or fault.tries == 0:
            return fault
        met = self._met.get(message, 0) + 1
        if met > fault.tries:
            self._met.pop(message, None)
            return None
        self._met[message] = met
        return fault

    def take(self, message: str) -> None:
        """Count a message that arrived."""
        self.tally.arrived(message, self.seen)


class Devices:
    """All tokens, by environment, and the broadcast channels."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Device] = {}
        self._tallies: dict[str, Tally] = {}
        self.channels: Known = {}

    def find(self, environment: str, token: str) -> Device | None:
        """Give who stands behind a token in an environment."""
        return self._known.get((environment, token))

    def add(self, token: str, *, topic: str, environment: str, fault: Fault | None = None) -> Device:
        """Know a token; one that is known already lives again."""
        tally = self._tallies.setdefault(fault.kind if fault else NO_FAULT, Tally())
        found = self._known.get((environment, token))
        if found is None:
            found = self._known[environment, token] = Device(token, topic, environment, tally, fault)
            tally.subscribers += 1
        found.ended, found.expired = None, False
        return found

    def make(
        self, count: int, *, topic: str, environment: str, shares: Sequence[tuple[Fault, float]] = (), seed: str
    ) -> list[Device]:
        """Make devices, the same ones for the same seed. Raises ValueError when the shares do not add up."""
        faults = assigned(shares, count=count, seed=seed)
        stem = f"device {environment} {topic} {seed} ".encode()
        return [
            self.add(
                hashlib.sha256(stem + str(number).encode()).hexdigest(),
                topic=topic,
                environment=environment,
                fault=fault,
            )
            for number, fault in enumerate(faults)
        ]

    def summary(self) -> dict[str, object]:
        """Give the tallies by fault, and their total."""
        kinds = {kind: asdict(tally) for kind, tally in sorted(self._tallies.items())}
        total = {name: sum(kind[name] for kind in kinds.values()) for name in asdict(Tally())}
        return {"kinds": kinds, "total": total}


def message_id(body: bytes, headers: dict[str, str]) -> str:
    """Find by which name a message is told from the next: `tidings.d`, its collapse id or its own id."""
    try:
        ours = json.loads(body).get("tidings")
    except (ValueError, RecursionError, AttributeError):
        ours = None
    named = ours.get("d") if isinstance(ours, dict) else None
    return str(named or headers.get("apns-collapse-id") or headers.get("apns-id") or "")
