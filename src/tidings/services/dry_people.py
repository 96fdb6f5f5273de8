"""Dry people: a trigger's audience goes in; who would be told what on which devices comes out, and why others not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tidings.domain.audience import Audience, Through, Users
from tidings.domain.filters import AllOf, Compare, Field, Op, Root
from tidings.domain.message import Message, Rendered
from tidings.domain.person import Person
from tidings.domain.preference import PreferenceChannel
from tidings.domain.subscription import Recipient, SubscriptionStatus
from tidings.pipeline.feed import reaches_feed
from tidings.pipeline.personal import Words
from tidings.pipeline.reach import Reach
from tidings.services.fates import WEIGHT, Fate, Texts, WhyNot, fates_of
from tidings.services.sorting import Matter
from tidings.storage import Transaction

MOST_PEOPLE = 1_000
"""People that are looked at one by one."""

MOST_DEVICES = 2_000
"""Devices up to which an audience is looked at whole; of a larger one only those of the people that are shown."""

MOST_PAGES = 10
"""So many times as many devices are read of these few people."""

FEW = 100
"""People of such a larger audience."""

_ID = Field(Root.USER, ("id",))


@dataclass(frozen=True, slots=True)
class InBell:
    """What somebody finds in the bell, in which language."""

    language: str | None
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class Told:
    """What one person would be told, on how many devices, in which language; in quiet hours, from when on.

    Whoever has devices in two languages, or in two zones, is there twice.
    """

    user: str
    devices: int
    language: str | None
    rendered: Rendered
    put_off_until: datetime | None = None
    bell: InBell | None = None


@dataclass(frozen=True, slots=True)
class NotTold:
    """Somebody none of whose devices would be told, why, what decided it, and what they find in the bell."""

    user: str
    why: WhyNot
    detail: str = ""
    bell: InBell | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of the people of an audience. Not `exact`, `devices` is how many it could be at most.

    `unnamed` of them belong to nobody that is known. `fits` are all who are meant, as far as they were looked for, and
    `more` says that there are others. `told` and `others` are in one order, people with a wish to be shown first.
    """

    told: tuple[Told, ...] = ()
    others: tuple[NotTold, ...] = ()
    fits: frozenset[str] = frozenset()
    devices: int = 0
    exact: bool = True
    unnamed: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a trigger would send: to whom, in which words, and when."""

    app_id: int
    event_type: str
    whom: Reach
    audience: Audience
    message: Message
    words: Words
    own_language: str | None
    matter: Matter
    at: datetime


def looked(tx: Transaction, one: Outgoing, *, about: Sequence[str]) -> Looked:
    """Look at everybody a trigger would send to. `about` are people to be looked at first."""
    names, more = _meant(tx, one)
    count = tx.subscriptions.count(one.app_id, one.audience)
    whole = count <= MOST_DEVICES
    found = _devices(tx, one, None if whole else [*about, *names[:FEW]])
    owners = tx.subscriptions.people([device.subscription_id for device in found])
    known = _fitting(tx, one, about) | {person.external_id for person in owners.values() if person.external_id}
    known |= set(names)
    wanted = [name for name in dict.fromkeys([*about, *names, *sorted(known)]) if name in known]
    if not whole:
        wanted, more = wanted[: len(about) + FEW], True
    texts = Texts(one.words)
    fates = fates_of(tx, one.matter, found, owners, texts, order=wanted, now=one.at)
    told, others = _people(tx, one, wanted, fates, texts)
    reached = sum(fate.why is None for of in fates.values() for fate in of)
    unnamed = sum(fate.why is None for fate in fates.get(None, ()))
    return Looked(
        told=tuple(told),
        others=tuple(others),
        fits=frozenset(wanted),
        devices=reached if whole else count,
        exact=whole and not texts.spent,
        unnamed=unnamed if whole else 0,
        more=more or texts.spent,
    )


def _meant(tx: Transaction, one: Outgoing) -> tuple[list[str], bool]:
    """Give those whom the rule names, and whether there are more."""
    if one.whom.everybody:
        users = tx.users.page(one.app_id, after=0, limit=MOST_PEOPLE + 1)
    elif one.whom.conditions is not None:
        users = tx.segments.people(one.app_id, one.whom.conditions, at=one.at, limit=MOST_PEOPLE + 1)
    else:
        return list(one.whom.names[:MOST_PEOPLE]), len(one.whom.names) > MOST_PEOPLE
    return [user.external_id for user in users[:MOST_PEOPLE]], len(users) > MOST_PEOPLE


def _fitting(tx: Transaction, one: Outgoing, names: Sequence[str]) -> set[str]:
    """Give those of some people whom the rule means."""
    if one.whom.everybody:
        return set(names)
    if one.whom.conditions is None:
        return set(names) & set(one.whom.names)
    return fitting(tx, one.app_id, one.whom, names, one.at)


def fitting(tx: Transaction, app_id: int, whom: Reach, names: Sequence[str], now: datetime) -> set[str]:
    """Give those of some people whom the App knows and for whom conditions hold."""
    if not names or whom.conditions is None:
        return set()
    among = AllOf((Compare(_ID, Op.IN, tuple(names)), whom.conditions))
    return {user.external_id for user in tx.segments.people(app_id, among, at=now, limit=len(names))}


def _devices(tx: Transaction, one: Outgoing, names: Sequence[str] | None) -> list[Recipient]:
    """Read the devices of the audience, or those of some of its people."""
    if names is None:
        return list(_read(tx, one.app_id, one.audience, pages=1))
    found = list(_read(tx, one.app_id, Users(tuple(dict.fromkeys(names))), pages=MOST_PAGES))
    kept = one.audience.channels if isinstance(one.audience, Through) else None
    ids = [device.subscription_id for device in found if kept is None or device.provider in kept]
    return tx.subscriptions.recipients_by_id(ids, of=one.audience)


def _read(tx: Transaction, app_id: int, audience: Audience, *, pages: int) -> Iterator[Recipient]:
    after, high = 0, tx.subscriptions.ceiling(app_id)
    for _ in range(pages):
        found = tx.subscriptions.recipients(app_id, audience, after=after, high=high, limit=MOST_DEVICES)
        yield from found
        if len(found) < MOST_DEVICES:
            return
        after = found[-1].subscription_id


def _people(
    tx: Transaction, one: Outgoing, names: Sequence[str], fates: Mapping[str | None, list[Fate]], texts: Texts
) -> tuple[list[Told], list[NotTold]]:
    told: list[Told] = []
    others: list[NotTold] = []
    bell = _in_bell(tx, one, names)
    for name in names:
        of = fates.get(name, [])
        good = [fate for fate in of if fate.why is None]
        if good and all(fate.text is None for fate in good):
            continue  # too much was written already; they are counted
        in_bell = _bell(tx, one, name, texts) if name in bell else None
        if good:
            told += _told(name, [fate for fate in good if fate.text is not None], one.own_language, in_bell)
        elif of:
            worst = min(of, key=lambda fate: WEIGHT[fate.why or WhyNot.NO_DEVICE])
            others.append(NotTold(name, worst.why or WhyNot.NO_DEVICE, worst.detail, in_bell))
        else:
            others.append(NotTold(name, WhyNot.NO_DEVICE, _no_device(tx, one, name), in_bell))
    return told, others


def _told(name: str, fates: Iterable[Fate], own: str | None, bell: InBell | None) -> Iterator[Told]:
    """Put devices that are told the same at the same time together."""
    alike: dict[tuple[str | None, datetime | None, str], Told] = {}
    for fate in fates:
        assert fate.text is not None
        key = (fate.language, fate.until, repr(fate.text))
        before = alike.get(key) or Told(name, 0, fate.language or own, fate.text, fate.until, bell)
        alike[key] = replace(before, devices=before.devices + 1)
    yield from alike.values()


def _no_device(tx: Transaction, one: Outgoing, name: str) -> str:
    channels = one.audience.channels if isinstance(one.audience, Through) else None
    had = tx.subscriptions.page(one.app_id, after=0, limit=1, user_external_id=name)
    if had and not tx.subscriptions.page(
        one.app_id, after=0, limit=1, user_external_id=name, status=SubscriptionStatus.ACTIVE
    ):
        return "Every browser and device of theirs has unsubscribed or expired."
    if channels is None:
        return "No browser and no device of theirs has push enabled."
    return f"No browser and no device of theirs has push enabled that is reached through {', '.join(channels)}."


def _in_bell(tx: Transaction, one: Outgoing, names: Sequence[str]) -> set[str]:
    """Give those of some people who find it in the bell."""
    if not names or not reaches_feed(one.audience):
        return set()
    kind = tx.kinds.get(one.app_id, one.event_type)
    if kind is None or kind.mandatory:
        return set(names)
    said = tx.preferences.of_users(one.app_id, list(names), (kind.key, PreferenceChannel.FEED))
    return {name for name in names if said.get(name, kind.feed)}


def _bell(tx: Transaction, one: Outgoing, name: str, texts: Texts) -> InBell | None:
    """Give what they read there: it knows of no device."""
    user = tx.users.get(one.app_id, name)
    person = Person(name, user.attributes, user.locale, user.time_zone) if user else Person(name)
    language = texts.words.language_for(None, person)
    text = texts.of(language, person)
    return InBell(language or one.own_language, text) if isinstance(text, Rendered) else None
