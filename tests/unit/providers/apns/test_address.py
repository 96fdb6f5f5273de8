"""What apps register, and what is said to those who register something else."""

from __future__ import annotations

import base64

import pytest

from support.apple import TOKEN
from tidings.domain.errors import CatalogueError
from tidings.lib.egress import HostPolicy
from tidings.providers.apns.address import place_from
from tidings.providers.apns.provider import Apns
from tidings.providers.apns.settings import Environment, Kind

NOWHERE = HostPolicy(frozenset(), ())


@pytest.mark.parametrize("token", [TOKEN, TOKEN.upper(), f"<{TOKEN[:8]} {TOKEN[8:]}>"])
def test_a_token_is_kept_in_lower_case(token: str) -> None:
    address, origin = Apns().address_from({"token": token, "environment": "development"}, policy=NOWHERE)
    assert address.target == TOKEN
    assert origin == "https://api.sandbox.push.apple.com"
    assert place_from(address.keys) == (Environment.SANDBOX, Kind.APP, "")


def test_tokens_may_grow() -> None:
    assert Apns().address_from({"token": "ab" * 100}, policy=NOWHERE)[0].target == "ab" * 100


def test_the_same_token_of_both_environments_is_two_addresses() -> None:
    one, two = (
        Apns().address_from({"token": TOKEN, "environment": name}, policy=NOWHERE) for name in ("production", "sandbox")
    )
    assert one[0] != two[0]
    assert {one[1], two[1]} == {"https://api.push.apple.com", "https://api.sandbox.push.apple.com"}


@pytest.mark.parametrize(
    ("registration", "field", "says"),
    [
        ({}, "token", "no device token"),
        ({"token": 7}, "token", "no device token"),
        ({"token": "abc"}, "token", "64 hexadecimal"),
        ({"token": TOKEN + "f"}, "token", "64 hexadecimal"),
        ({"token": base64.b64encode(bytes(32)).decode()}, "token", "base64"),
        ({"token": "dHc:APA91bHun4MxP5egoKMwt2KZFBaFUH"}, "token", "Firebase"),
        ({"token": TOKEN, "kind": "toast"}, "kind", "voip"),
        ({"token": TOKEN, "kind": "channel"}, "kind", "voip"),
        ({"token": TOKEN, "kind": "mdm"}, "push_magic", "PushMagic"),
        ({"token": TOKEN, "environment": "live"}, "environment", "sandbox"),
    ],
)
def test_what_is_no_token_is_refused_with_what_it_is(registration: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        Apns().address_from(registration, policy=NOWHERE)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert says in caught.value.detail
    assert str(registration.get("token")) not in caught.value.detail
