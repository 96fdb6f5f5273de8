"""Managing an instance that no server has: each command opens it here, does its work and lets go."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import Result

from tidings.lib.crypto import base64url_from, generate_key, scalar_from

CONTACT = ("--subject", "mailto:push@example.com")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "tidings.simulator", "--folder", str(tmp_path_factory.mktemp("simulator"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def subscribers(simulator: dict[str, str], count: int, *, vapid_key: str) -> list[dict[str, Any]]:
    wish = {"count": count, "vapid_key": vapid_key}
    answer = httpx2.post(f"{simulator['control']}/subscribers", json=wish, trust_env=False)
    found: list[dict[str, Any]] = answer.json()["subscriptions"]
    return found


def imported(told: Callable[..., Any], simulator: dict[str, str], folder: Path, *rows: dict[str, Any]) -> None:
    """Make the key and import one simulated device for each row, with what the row adds."""
    key = told("vapid", "generate", *CONTACT)["public_key"]
    made = subscribers(simulator, len(rows), vapid_key=key)
    file = folder / "devices.ndjson"
    file.write_text("".join(json.dumps(device | row) + "\n" for device, row in zip(made, rows, strict=True)))
    assert told("subscriptions", "import", str(file))["added"] == len(rows)


def test_generating_twice_shows_the_key_that_is_there(told: Callable[..., Any]) -> None:
    first = told("vapid", "generate", *CONTACT)
    again = told("vapid", "generate", *CONTACT)
    assert again["public_key"] == first["public_key"]
    assert len(first["public_key"]) == 87


def test_a_key_needs_a_contact_address_that_apple_takes(run: Run) -> None:
    missing = run("vapid", "generate")
    assert missing.exit_code == 1
    assert "--subject" in missing.stderr
    assert run("vapid", "generate", "--subject", "mailto:me@localhost").exit_code == 1


def test_the_contact_may_come_from_the_environment(told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_CONTACT", "mailto:desk@example.com")
    assert told("vapid", "generate")["subject"] == "mailto:desk@example.com"


def test_force_names_what_it_invalidates_and_wants_an_answer(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    imported(told, simulator, tmp_path, {}, {}, {})
    refused = run("vapid", "generate", "--force")
    assert refused.exit_code == 1
    assert "3 active subscriptions" in refused.stderr
    assert told("vapid", "generate", "--force", "--yes")["invalidated"] == 3


def test_rotation_loses_nobody(told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path) -> None:
    imported(told, simulator, tmp_path, {}, {})
    told("vapid", "rotate")
    states = {key["status"]: key["subscriptions"] for key in told("vapid", "show")["keys"]}
    assert states == {"current": 0, "retired": 2}


def test_a_key_is_imported_from_stdin_and_its_private_half_never_printed(run: Run) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    ended = run("vapid", "import", "-", *CONTACT, stdin=pem)
    assert ended.exit_code == 0, ended.output
    shown = ended.output + run("vapid", "show", "--json").output
    assert "PRIVATE" not in shown
    assert "private_key" not in shown


def test_an_imported_key_says_what_it_takes_the_place_of(run: Run, told: Callable[..., Any], tmp_path: Path) -> None:
    told("vapid", "generate", *CONTACT)
    (tmp_path / "key").write_text(base64url_from(scalar_from(generate_key())))
    assert "0 subscriptions of that one keep it" in run("vapid", "import", str(tmp_path / "key"), *CONTACT).stderr
    (tmp_path / "junk").write_text("junk")
    refused = run("vapid", "import", str(tmp_path / "junk"), *CONTACT)
    assert (refused.exit_code, "32 bytes; this one has 3" in refused.stderr) == (1, True)
    assert {key["status"] for key in told("vapid", "show")["keys"]} == {"current", "retired"}


def test_a_key_file_that_is_no_text_says_what_it_should_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "key.der").write_bytes(b"\x30\x77\xff\xfe")
    ended = run("vapid", "import", str(tmp_path / "key.der"), *CONTACT)
    assert ended.exit_code == 1
    assert "openssl ec -inform DER" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TIDINGS_CONFIG", "/nowhere/tidings.toml", "which is no file"),
        ("TIDINGS_CONFIG", __file__, "is not TOML"),
        ("TIDINGS_PUBLIC_URL", "push.example.com", "as https://push.example.com"),
        ("TIDINGS_PUSH_HOST_MAP", "foo", "leads nowhere"),
    ],
)
def test_a_setting_that_is_wrong_is_named_before_anything_is_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = run("app", "list")
    assert ended.exit_code == 1
    assert why in ended.stderr
    assert "report what it prints" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_an_app_is_named_by_its_name_when_there_are_several(run: Run, told: Callable[..., Any]) -> None:
    told("key", "create", "--name", "First")
    made = told("app", "create", "--name", "Harbour News")
    assert "2 Apps" in run("vapid", "generate", *CONTACT).stderr
    told("vapid", "generate", "--app", "Harbour News", *CONTACT)
    assert told("vapid", "show", "--app", made["id"])["configured"]
    assert run("vapid", "show", "--app", "My site").exit_code == 1
    assert "no App 'Else'" in run("vapid", "show", "--app", "Else").stderr


def test_a_key_is_shown_once_and_can_be_revoked(run: Run, told: Callable[..., Any]) -> None:
    made = told("key", "create", "--name", "shop", "--scope", "send")
    assert made["key"].startswith(made["prefix"])
    assert made["scopes"] == ["send"]
    listed = run("key", "list")
    assert "shop" in listed.stdout
    assert made["key"] not in listed.stdout
    told("key", "revoke", made["id"])
    assert told("key", "list")["data"] == []
    assert run("key", "revoke", made["id"]).exit_code == 1


def test_an_attribute_is_added_to_those_that_are_there(told: Callable[..., Any]) -> None:
    told("key", "create", "--name", "First")
    told("user", "set", "u-42", "-a", "name=Anna", "-a", "age=42", "--locale", "de")
    told("user", "set", "u-42", "-a", "role=operator", "-a", "age=null")
    shown = told("user", "show", "u-42")
    assert shown["attributes"] == {"name": "Anna", "role": "operator"}
    assert shown["locale"] == "de"


def test_what_only_reads_makes_no_instance_where_there_is_none(run: Run, tmp_path: Path) -> None:
    for command in (
        ["send", "--title", "T", "--to", "all"],
        ["test"],
        ["user", "list"],
        ["vapid", "show"],
        ["migrate"],
    ):
        ended = run(*command)
        assert ended.exit_code == 1
        assert "no instance" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_an_empty_list_says_what_to_do_next(run: Run, told: Callable[..., Any]) -> None:
    told("vapid", "generate", *CONTACT)
    assert "tidings user set" in run("user", "list").stdout
    assert "tidings key create" in run("key", "list").stdout


def test_good_rows_are_stored_and_bad_ones_named(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    key = told("vapid", "generate", *CONTACT)["public_key"]
    good = subscribers(simulator, 2, vapid_key=key)
    bad = {**good[0], "keys": {"p256dh": "AAAA", "auth": "AAAA"}}
    (tmp_path / "in.ndjson").write_text("\n".join(map(json.dumps, [good[0], bad, good[1]])))
    ended = run("subscriptions", "import", str(tmp_path / "in.ndjson"))
    assert ended.exit_code == 1
    assert "subscription_key_invalid" in ended.stdout
    assert "1 row was refused" in ended.stderr
    out = tmp_path / "out.ndjson"
    assert told("subscriptions", "export", str(out))["subscriptions"] == 2
    assert out.stat().st_mode & 0o777 == 0o600
    assert {json.loads(line)["endpoint"] for line in out.read_text().splitlines()} == {one["endpoint"] for one in good}
    assert run("subscriptions", "export", str(out)).exit_code == 1


def test_a_test_message_fails_loudly_without_keys_and_without_subscription(run: Run, told: Callable[..., Any]) -> None:
    told("key", "create", "--name", "First")
    without_keys = run("test")
    assert without_keys.exit_code == 1
    assert "tidings vapid generate" in without_keys.stderr
    told("vapid", "generate", *CONTACT)
    without_devices = run("test", "--email", "you@example.com")
    assert without_devices.exit_code == 1
    assert "no device" in without_devices.stderr


def test_a_test_message_reaches_every_device_of_the_person(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    mine, other = {"user": "u-42", "device": "Firefox on Linux"}, {"user": "u-7"}
    imported(told, simulator, tmp_path, mine, {**mine, "device": "Chrome on Android"}, other)
    told("user", "set", "u-42", "-a", "email=anna@example.com")
    ended = run("test", "--email", "Anna@example.com", "--body", "Hello")
    assert ended.exit_code == 0, ended.output
    assert "Firefox on Linux" in ended.stdout
    assert "Chrome on Android" in ended.stdout
    assert "working on 2 devices of u-42." in ended.stdout
    again = told("test", "--user", "u-42")
    assert (again["user"], len(again["devices"])) == ("u-42", 2)


def test_a_test_message_that_no_push_service_takes_does_not_watch_for_ever(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.cli.test.PATIENCE", 3)
    imported(told, simulator, tmp_path, {"user": "u-42"})
    trouble = {"kind": "unavailable", "times": 1_000}
    httpx2.post(f"{simulator['control']}/faults", json=trouble, trust_env=False).raise_for_status()
    try:
        ended = run("test")
    finally:
        httpx2.delete(f"{simulator['control']}/faults", trust_env=False).raise_for_status()
    assert ended.exit_code == 1
    assert "within 3 s" in ended.stderr
    assert "tidings doctor" in ended.stderr


def test_sending_wants_an_answer_and_then_adds_up(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    imported(told, simulator, tmp_path, {"tags": {"plan": "pro"}}, {"tags": {"plan": "pro"}}, {})
    asked = run("send", "--title", "Fresh fish", "--to", "tag:plan=pro")
    assert asked.exit_code == 1
    assert "to 2 devices?" in asked.stderr
    sent = told("send", "--title", "Fresh fish", "--to", "tag:plan=pro", "--yes")
    assert (sent["status"], sent["counts"]["sent"], sent["counts"]["audience"]) == ("done", 2, 2)
    assert run("send", "--title", "Fresh fish", "--to", "user:nobody", "--yes").exit_code == 1


def test_a_template_is_sent_by_its_id(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    imported(told, simulator, tmp_path, {"tags": {"plan": "pro"}})
    ended = run("send", "--template", "tpl_404", "--variables", '{"fish": "cod"}', "--to", "all", "--yes")
    assert ended.exit_code == 1
    assert "There is no template 'tpl_404'" in ended.stderr
    parts = told("preset", "apply", "site")["parts"]
    (template,) = (one["id"] for one in parts if one["kind"] == "template" and one["name"] == "News")
    article = {"id": "17", "title": "The ferry sails again", "url": "https://www.example.com/ferry"}
    send = ("send", "--template", template, "--variables", json.dumps({"article": article}), "--to", "all")
    assert "Send “News” to 1 device?" in " ".join(run(*send).stderr.split())
    assert "Sent “News” as" in run(*send, "--yes").output


def test_a_notification_for_later_is_stored_and_not_waited_for(
    run: Run, told: Callable[..., Any], simulator: dict[str, str], tmp_path: Path
) -> None:
    imported(told, simulator, tmp_path, {})
    ended = run("send", "--title", "Fresh fish", "--to", "all", "--at", "2099-01-01T09:00Z", "--yes")
    assert ended.exit_code == 0, ended.output
    assert "Keep `tidings up` running" in ended.stdout


def test_doctor_names_every_fault_with_its_mend(told: Callable[..., Any]) -> None:
    assert told("doctor", "--offline", code=1)["findings"][0]["found"].startswith("there is none")
    told("key", "create", "--name", "First")
    report = told("doctor", "--offline", code=1)
    found = {finding["name"]: finding for finding in report["findings"]}
    assert not report["ok"]
    assert found["App My site"]["state"] == "fail"
    assert found["Workers"]["state"] == "fail"
    assert found["Encryption"]["state"] == "ok"
    assert all(finding["mend"] for finding in report["findings"] if finding["state"] != "ok")


def test_migrating_what_is_up_to_date_changes_nothing(told: Callable[..., Any]) -> None:
    told("key", "create", "--name", "First")
    assert told("migrate") == {"applied": []}
