"""Which file is a service account, which is something else, and what is kept of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.service_account import PROJECT, account_file, pem
from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.crypto import bytes_from_base64
from tidings.lib.rs256 import rs256_verifies, rsa_key_from_der
from tidings.providers.fcm.oauth import SCOPE, assertion, grant_request_from
from tidings.providers.fcm.provider import Fcm
from tidings.providers.fcm.settings import A_MINUTE, TOKEN_URI, account_from, warnings_of

NOW = 1_798_761_600.0


def refusal(text: str, **fields: str) -> str:
    with pytest.raises(CatalogueError) as fault:
        account_from(text, **fields)
    assert fault.value.code is ErrorCode.CREDENTIALS_INVALID
    assert fault.value.faults[0].field in {"service_account", "project_id"}
    return fault.value.detail


def test_a_file_gives_its_project_account_and_key() -> None:
    account = account_from(account_file())
    assert (account.project_id, account.client_email) == (PROJECT, f"push@{PROJECT}.iam.gserviceaccount.com")
    assert account.key_id == "0" * 40
    assert rsa_key_from_der(account.private_key)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Nothing was uploaded"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("<?xml version='1.0'?><plist>", "GoogleService-Info.plist"),
        ("-----BEGIN PRIVATE KEY-----", "private key alone"),
        ('{"project_info": {"project_id": "x"}, "client": []}', "google-services.json"),
        ('{"installed": {}}', "desktop app"),
        ('{"web": {}}', "OAuth client of a site"),
        ('{"apiKey": "AIza", "projectId": "x"}', "web SDK"),
        ('{"type": "authorized_user"}', "credentials of a person"),
        ('{"type": "external_account"}', "workload identity"),
        ('{"type": ["service_account"]}', "not the key of a service account"),
        ("{}", "not the key of a service account"),
        (" " * 20_000 + "{}", "16384"),
    ],
)
def test_another_file_is_called_by_its_name(text: str, words: str) -> None:
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token_uri": "https://evil.example/token"}, "token_uri"),
        ({"token_uri": "http://oauth2.googleapis.com/token"}, "token_uri"),
        ({"universe_domain": "evil.example"}, "universe"),
        ({"private_key": None}, "private_key"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "private_key"),
        ({"client_email": "nobody"}, "client_email"),
        ({"client_email": None}, "client_email"),
        ({"project_id": "../../etc"}, "project_id"),
        ({"project_id": None}, "project_id"),
        ({"private_key_id": "a\r\nb"}, "private_key_id"),
    ],
)
def test_a_file_that_was_changed_is_refused_by_the_field(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(account_file(**changes))


def test_older_files_of_google_are_taken_and_answered_at_the_one_address() -> None:
    old = account_from(account_file(token_uri="https://accounts.google.com/o/oauth2/token", universe_domain=None))
    credential = Credential(1, 1, 1, "fcm", old.key_id, old.private_key, {"client_email": old.client_email})
    assert grant_request_from(credential, now=NOW).url == TOKEN_URI


def test_a_file_survives_the_ways_people_paste_it() -> None:
    text = account_file()
    for pasted in ("\ufeff" + text, text.replace("\n", "\r\n"), f"  {text}\n\n"):
        assert account_from(pasted) == account_from(text)
    escaped = json.loads(text) | {"private_key": pem(0).replace("\n", "\\n")}
    assert account_from(json.dumps(escaped)) == account_from(text)


def test_a_key_made_by_openssl_works(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    made = Fcm().credential_from({"service_account": account_file(private_key=key.read_text())})
    credential = Credential(1, 1, 1, "fcm", made.fingerprint, made.secret, made.settings)
    head, claims, signature = assertion(credential, now=NOW).split(".")
    (tmp_path / "signed").write_bytes(f"{head}.{claims}".encode())
    (tmp_path / "signature").write_bytes(bytes_from_base64(signature))
    public = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True).stdout
    (tmp_path / "public.pem").write_bytes(public)
    verified = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", str(tmp_path / "public.pem"), "-signature",
         str(tmp_path / "signature"), str(tmp_path / "signed")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert verified.stdout.strip() == "Verified OK"


def test_a_small_key_and_another_kind_of_key_are_refused(tmp_path: Path) -> None:
    for command, words in (
        (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "1024 bits"),
        (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "not one of RSA"),
    ):
        key = tmp_path / "key.pem"
        subprocess.run(["openssl", "genpkey", *command, "-out", str(key)], check=True, capture_output=True)
        assert words in refusal(account_file(private_key=key.read_text()))


def test_the_claim_says_what_rfc_7523_and_google_want() -> None:
    account = account_from(account_file())
    credential = Credential(1, 1, 1, "fcm", account.key_id, account.private_key, {"client_email": account.client_email})
    head, claims, signature = assertion(credential, now=NOW).split(".")
    assert json.loads(bytes_from_base64(head)) == {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    assert json.loads(bytes_from_base64(claims)) == {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": TOKEN_URI,
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    }
    key = rsa_key_from_der(account.private_key).public_key()
    assert rs256_verifies(key, bytes_from_base64(signature), f"{head}.{claims}".encode())
    assert not rs256_verifies(key, bytes_from_base64(signature), b"something else")


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("firebase-adminsdk-x1y2z@my-app.iam.gserviceaccount.com", "Firebase Admin SDK"),
        ("my-app@appspot.gserviceaccount.com", "App Engine"),
        ("1234-compute@developer.gserviceaccount.com", "Compute Engine"),
    ],
)
def test_an_account_that_may_do_more_is_noticed_by_its_name(email: str, words: str) -> None:
    (said,) = warnings_of({"client_email": email, "project_id": "my-app", "home_project": "my-app"})
    assert words in said
    assert "Firebase Cloud Messaging API Admin" in said


def test_an_account_of_its_own_warns_of_nothing_but_of_another_project() -> None:
    own = {"client_email": "push@a.iam.gserviceaccount.com", "home_project": "a", "project_id": "a"}
    assert warnings_of(own) == ()
    assert "needs its role in b" in warnings_of({**own, "project_id": "b"})[0]


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps))
def test_any_text_is_taken_or_refused_by_code(text: str) -> None:
    assert refusal(text)


def test_a_project_with_another_quota_is_kept_to_that() -> None:
    def quota(**fields: str) -> int:
        made = Fcm().credential_from({"service_account": account_file(), **fields})
        return Fcm().quota(Credential(1, 1, 1, "fcm", made.fingerprint, made.secret, made.settings)).a_minute

    assert [quota(), quota(messages_per_minute=" "), quota(messages_per_minute="1200")] == [A_MINUTE, A_MINUTE, 1_200]
    for wrong in ("0", "-5", "1e3", "1 000", "100000001", "٣", "9" * 400):
        with pytest.raises(CatalogueError) as fault:
            quota(messages_per_minute=wrong)
        assert fault.value.faults[0].field == "messages_per_minute"
