"""Each service's answers, against what was recorded of the real ones and against what the sender makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.lib.exchange import Reply
from tidings.providers.webpush.reading import outcome_from
from tidings.providers.webpush.settings import service_at
from tidings.simulator.answers import Response
from tidings.simulator.flavours import BY_HOST, FLAVOURS, Flavour, FlavourName, Taken, origins_of
from tidings.simulator.limits import Limits
from tidings.simulator.refusals import VAPID, Reason, Refusal

VECTORS = Path(__file__).parents[2] / "vectors" / "webpush"
TAKEN = Taken("4a1c6f8b2d9e0f31a1b2c3d4e5f60718", "https://updates.push.services.mozilla.com", 60, 1_529_412_711.2)
REAL = [one for one in FLAVOURS.values() if one.name not in {FlavourName.STRICT, FlavourName.MOZILLA_ANDROID}]

GONE = {"endpoint_unknown", "unsubscribed_or_expired"}
MEANT: dict[Reason, set[str]] = {
    Reason.NO_SUCH_PATH: {"endpoint_unknown"},
    Reason.METHOD: {"bad_request"},
    Reason.UNKNOWN: {"endpoint_unknown"},
    Reason.GONE: {"unsubscribed_or_expired"},
    Reason.TOO_LARGE: {"payload_too_large"},
    Reason.TTL: {"bad_ttl", "bad_crypto", "bad_request"},
    Reason.URGENCY: {"bad_urgency", "bad_crypto", "bad_request"},
    Reason.TOPIC: {"bad_topic", "bad_request"},
    Reason.CODING: {"bad_crypto", "bad_request"},
    # Microsoft gives no reason with it.
    Reason.KEY_MISMATCH: {"vapid_key_mismatch", "authorization_refused"},
    Reason.THROTTLED: {"throttled"},
    Reason.UNAVAILABLE: {"service_overloaded"},
}
REFUSED = {"authorization_refused", "jwt_refused", "jwt_audience_refused", "jwt_expiry_refused", "public_key_refused"}
"""Why a sender may not send: whatever it is called, nobody's subscription ends for it."""


def reply(answer: Response) -> Reply:
    return Reply(answer.status, dict(answer.headers), answer.body)


def recorded(flavour: Flavour) -> list[dict[str, Any]]:
    content = json.loads((VECTORS / f"{flavour.name}.json").read_text())
    found: list[dict[str, Any]] = content["answers"]
    return found


@pytest.mark.parametrize("flavour", REAL, ids=lambda one: str(one.name))
@pytest.mark.parametrize("reason", Reason)
def test_the_sender_understands_every_refusal_of_every_service(flavour: Flavour, reason: Reason) -> None:
    family = service_at(f"{flavour.origin}{flavour.prefix}x").family
    detail = "VAPID public key mismatch" if reason is Reason.KEY_MISMATCH else "Why"
    outcome = outcome_from(family, reply(flavour.refuse(Refusal(reason, detail))), now=0)
    found = str(getattr(outcome, "reason", ""))
    assert found in MEANT.get(reason, REFUSED), outcome
    assert (type(outcome).__name__ == "Gone") == (found in GONE)


@pytest.mark.parametrize("flavour", REAL, ids=lambda one: str(one.name))
def test_each_service_answers_as_was_recorded_of_it(flavour: Flavour) -> None:
    """Every status the flavour gives was seen at the real service, with such headers and in such words."""
    known = recorded(flavour)
    for reason in Reason:
        if flavour.name is not FlavourName.APPLE and reason in {Reason.METHOD, Reason.NO_SUCH_PATH}:
            continue  # nobody has recorded what a sender never does
        answer = flavour.refuse(Refusal(reason, "Why"))
        alike = [one for one in known if one["status"] == answer.status]
        if flavour.name is FlavourName.GOOGLE and answer.status in {400, 503}:
            continue  # it is the status alone that is known
        assert alike, (reason, answer.status)
        if answer.body and flavour.name is not FlavourName.MOZILLA:
            assert answer.body.decode() in [one["body"] for one in alike], reason
        elif answer.body:
            numbers = {json.loads(one["body"])["errno"] for one in alike if one["body"].startswith("{")}
            assert json.loads(answer.body)["errno"] in numbers, reason


@pytest.mark.parametrize("flavour", REAL, ids=lambda one: str(one.name))
def test_an_accepted_message_has_the_headers_of_its_service(flavour: Flavour) -> None:
    answer = flavour.accept(TAKEN)
    [known] = [one for one in recorded(flavour) if one["status"] == 201][:1]
    assert answer.status == 201
    assert {name for name, _ in answer.headers} == set(known["headers"])
    family = service_at(f"{flavour.origin}/").family
    assert type(outcome_from(family, reply(answer), now=0)).__name__ == "Accepted"


def test_hosts_lead_to_their_service_and_tokens_may_name_them() -> None:
    assert BY_HOST["jmt17.google.com"].name is FlavourName.GOOGLE
    assert origins_of(FLAVOURS[FlavourName.GOOGLE]) == {"https://fcm.googleapis.com", "https://jmt17.google.com"}
    assert {one.name for one in BY_HOST.values()} == {one.name for one in REAL}


def test_only_apple_looks_at_the_contact_and_strict_is_as_strict_as_all() -> None:
    strict = FLAVOURS[FlavourName.STRICT].rules
    assert [one.name for one in REAL if one.rules.contact] == [FlavourName.APPLE]
    assert strict.contact
    assert strict.largest <= min(one.rules.largest for one in REAL)
    assert set(Reason) > VAPID


def test_a_limit_holds_for_one_sender_and_one_minute() -> None:
    limits = Limits()
    google = FlavourName.GOOGLE
    assert limits.wait(google, b"a", now=600) is None
    limits.put(google, 2)
    assert [limits.wait(google, b"a", now=now) for now in (600, 615, 630.5)] == [None, None, 30]
    assert limits.wait(google, b"b", now=630) is None
    assert limits.wait(FlavourName.APPLE, b"a", now=630) is None
    assert limits.wait(google, b"a", now=660) is None
    limits.put(google, 0)
    assert limits.wait(google, b"a", now=719.99) == 1
    limits.put(google, None)
    assert limits.wait(google, b"a", now=719.99) is None
