"""What makes one push service differ from the next: its address, its rules and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tidings.simulator.answers import Response
from tidings.simulator.judge import Rules
from tidings.simulator.refusals import Reason, Refusal

JSON = ("content-type", "application/json")


class FlavourName(StrEnum):
    """Whose push service is played. `strict` is all of them at once: what passes there passes everywhere."""

    STRICT = "strict"
    GOOGLE = "google"
    MOZILLA = "mozilla"
    MOZILLA_ANDROID = "mozilla_android"
    APPLE = "apple"
    MICROSOFT = "microsoft"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was accepted: its id (32 hexadecimal digits), the service's origin, the TTL that was granted."""

    id: str
    origin: str
    ttl: int
    at: float


@dataclass(frozen=True, slots=True)
class Flavour:
    """A push service's manner.

    `origin` is where it is in real life, `hosts` which others are it too; an endpoint is origin, `prefix` and token,
    and its token ends in `ending`. `patience` has the seconds it really names in Retry-After, by reason.
    """

    name: FlavourName
    origin: str
    prefix: str
    accept: Callable[[Taken], Response]
    refuse: Callable[[Refusal], Response]
    rules: Rules = field(default_factory=Rules)
    hosts: frozenset[str] = frozenset()
    ending: str = ""
    patience: Mapping[Reason, int] = field(default_factory=dict)


def headers_of(refusal: Refusal, *first: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Give the headers of a refusal: those of the service, and Retry-After where there is one."""
    waiting = () if refusal.retry_after is None else (("retry-after", str(refusal.retry_after)),)
    return (*first, *waiting)
