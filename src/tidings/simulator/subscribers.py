"""Simulated subscribers: key pairs in bulk, and receivers that decrypt what arrives and count what comes twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tidings.simulator import base64url
from tidings.simulator.coding import CURVE, Unreadable, opened
from tidings.simulator.faults import Fault, Patience, assigned
from tidings.simulator.flavours import STRICT, Flavour
from tidings.simulator.journal import Arrival, Journal, Reading, notification_in
from tidings.simulator.push_service import PushMessage, PushService

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (FIPS 186-5): private keys are from 1 to one less."""

NO_FAULT = "none"


@dataclass(slots=True)
class Tally:
    """What the subscribers of one fault kind have seen; distinct + doubled = accepted.

    `reached` are those that have seen anything.
    """

    subscribers: int = 0
    reached: int = 0
    accepted: int = 0
    decrypted: int = 0
    unreadable: int = 0
    distinct: int = 0
    doubled: int = 0
    refused: int = 0

    def arrived(self, delivery: str, seen: dict[str, int]) -> None:
        """Count what arrived at one that has `seen` deliveries so often, and note it there."""
        self.accepted += 1
        self.reached += not seen
        self.distinct += delivery not in seen
        self.doubled += delivery in seen
        seen[delivery] = seen.get(delivery, 0) + 1


class Subscriber:
    """One simulated browser: its keys, its misfortune, and which deliveries it has seen how often."""

    __slots__ = (
        "_journal",
        "_patience",
        "_point",
        "_private",
        "_reads",
        "_tally",
        "auth",
        "flavour",
        "seen",
        "token",
        "vapid_key",
    )

    def __init__(
        self,
        seed: bytes,
        *,
        vapid_key: bytes,
        flavour: Flavour,
        fault: Fault | None,
        reading: float,
        tally: Tally,
        journal: Journal,
    ) -> None:
        # Everything follows from the seed, so that the same crowd comes back after a restart.
        stuff = hashlib.shake_256(seed).digest(32 + 48 + 16 + 2)
        self.token = base64url.encoded(stuff[:32]) + flavour.ending
        self.flavour = flavour
        # 48 bytes reduced to 32: the bias is far below notice (FIPS 186-5 §A.2.1).
        self._private = ec.derive_private_key(int.from_bytes(stuff[32:80], "big") % (_ORDER - 1) + 1, CURVE)
        self._point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = stuff[80:96]
        self._reads = int.from_bytes(stuff[96:], "big") < reading * 65_536
        self.vapid_key: bytes | None = vapid_key
        self.seen: dict[str, int] = {}
        self._patience = Patience(fault)
        self._tally = tally
        self._journal = journal

    def keys(self) -> dict[str, str]:
        """Give `keys` of PushSubscription.toJSON()."""
        return {"p256dh": base64url.encoded(self._point), "auth": base64url.encoded(self.auth)}

    def met_by(self, topic: str | None) -> Fault | None:
        """Give the fault that this try meets, None if it passes."""
        return self._patience.met_by(topic)

    def refused(self) -> None:
        """Count a refusal."""
        self._tally.refused += 1

    def take(self, message: PushMessage) -> None:
        """Decrypt and count an accepted message, as a browser would on arrival."""
        tally = self._tally
        reading, plaintext = self._read(message)
        if reading is Reading.DECRYPTED:
            tally.decrypted += 1
        elif reading is Reading.UNREADABLE:
            tally.unreadable += 1
        delivery = _delivery_id(plaintext) or message.topic or message.id
        tally.arrived(delivery, self.seen)
        arrival = Arrival(
            at=message.received_at,
            to=self.token[:8],
            recipient="subscriber",
            delivery=delivery,
            reading=reading,
            plaintext=plaintext,
            size=len(message.body),
            ttl=message.ttl,
            urgency=message.urgency,
            topic=message.topic,
            flavour=self.flavour.name,
            headers=message.headers,
        )
        self._journal.arrived(arrival)

    def _read(self, message: PushMessage) -> tuple[Reading, bytes | None]:
        if message.coded is None:
            return Reading.EMPTY, None
        if not self._reads:
            return Reading.NOT_TRIED, None
        try:
            return Reading.DECRYPTED, opened(message.coded, private=self._private, point=self._point, auth=self.auth)
        except Unreadable:
            return Reading.UNREADABLE, None


class Subscribers:
    """The crowd. `reading` is the share of subscribers that decrypt what they get; the others only count."""

    def __init__(self, service: PushService, journal: Journal, *, reading: float = 1.0) -> None:
        self._service = service
        self._journal = journal
        self._reading = reading
        self._tallies: dict[str, Tally] = {}

    def make(
        self,
        count: int,
        *,
        vapid_key: bytes,
        shares: Sequence[tuple[Fault, float]] = (),
        seed: str,
        flavours: Sequence[tuple[Flavour, float]] = (),
        real_hosts: bool = False,
    ) -> list[dict[str, object]]:
        """Make subscribers and give them as PushSubscription JSON, in order.

        The same seed and VAPID key give the same subscribers, also after a restart; those already here stay as they
        are, with their counts. Who has no share of `flavours` is `strict`; with `real_hosts` the endpoints of the
        others carry the names they have in real life, which a client must be told to find here. Raises ValueError
        when the shares do not add up.
        """
        faults = assigned(shares, count=count, seed=seed)
        served = assigned(flavours, count=count, seed=f"flavours {seed}")
        prefix = b"subscriber " + vapid_key + seed.encode()
        made: list[dict[str, object]] = []
        for number, (fault, flavour) in enumerate(zip(faults, served, strict=True)):
            one = self._made(
                prefix + number.to_bytes(8, "big"), vapid_key=vapid_key, fault=fault, flavour=flavour or STRICT
            )
            origin = flavour.origin if flavour and real_hosts else None
            endpoint = self._service.endpoint(one.token, one.flavour, origin=origin)
            made.append({"endpoint": endpoint, "expirationTime": None, "keys": one.keys()})
        return made

    def _made(self, seed: bytes, *, vapid_key: bytes, fault: Fault | None, flavour: Flavour) -> Subscriber:
        tally = self.tally(fault.kind if fault else NO_FAULT)
        fresh = Subscriber(
            seed,
            vapid_key=vapid_key,
            flavour=flavour,
            fault=fault,
            reading=self._reading,
            tally=tally,
            journal=self._journal,
        )
        if self._service.recipient(fresh.token) is None:
            self._service.register(fresh.token, fresh)
            tally.subscribers += 1
        return fresh

    def tally(self, kind: str) -> Tally:
        """Give the counts of one kind."""
        return self._tallies.setdefault(kind, Tally())

    def summary(self) -> dict[str, object]:
        """Give the tallies by fault kind, and their total."""
        ordered = sorted(self._tallies.items(), key=lambda pair: (pair[0] != NO_FAULT, pair[0]))
        kinds = {kind: asdict(tally) for kind, tally in ordered if tally.subscribers}
        total = {name: sum(kind[name] for kind in kinds.values()) for name in asdict(Tally())}
        return {"kinds": kinds, "total": total}


def _delivery_id(plaintext: bytes | None) -> str | None:
    """Find the delivery id in a payload: `tidings.d`."""
    ours = notification_in(plaintext).get("tidings")
    found = ours.get("d") if isinstance(ours, dict) else None
    return found if isinstance(found, str) else None
