"""Service accounts: which file it has to be, what is kept of it, and which addresses of Google are called with it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.crypto import Malformed
from tidings.lib.rs256 import der_from, public_der_from, rs256_signature, rs256_verifies, rsa_key_from_pem

ORIGIN = "https://fcm.googleapis.com"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
"""Where tokens are asked for, whatever a file says: one from elsewhere could send our signature to anybody."""

LARGEST_FILE = 16_384
"""Bytes; a service account's file has about 2 400."""

A_MINUTE = 600_000
"""Messages that a project may send, unless Google granted it another number (Throttling and quotas,
firebase.google.com)."""

MOST_A_MINUTE = 100_000_000

_TOKEN_URIS = frozenset(
    {TOKEN_URI, "https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token"}
)
"""What files of Google have named over the years; all are answered by the first."""

_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{2,62}[a-z0-9]", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,128}@[A-Za-z0-9.-]{1,128}", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)

_OTHERS = {
    "project_info": "This is google-services.json, which belongs into the Android app",
    "installed": "This is an OAuth client of a desktop app",
    "web": "This is an OAuth client of a site",
    "apiKey": "This is the configuration of Firebase's web SDK",
    "messagingSenderId": "This is the configuration of Firebase's web SDK",
    "keys": "This is a set of public keys",
}
"""Names that other files of Google and Firebase have, and what these are."""

_TYPES = {
    "authorized_user": "These are the credentials of a person, made by gcloud",
    "external_account": "This is a configuration of workload identity federation",
    "impersonated_service_account": "This is a configuration for impersonating an account",
}
_WHERE = (
    "Take the service account's key: Firebase Console, Project settings, Service accounts, Generate new private key."
)

BROAD = {
    "firebase-adminsdk": "the Firebase Admin SDK's own account, which may read and change the project's databases, "
    "files and users",
    "@appspot.gserviceaccount.com": "App Engine's default account, which is usually an Editor of the whole project",
    "-compute@developer.gserviceaccount.com": "Compute Engine's default account, which is usually an Editor of the "
    "whole project",
}
"""Signs in an account's name of one that may do more than send messages."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What is kept of a file: whose key it is and for which project; `private_key` is PKCS#8."""

    project_id: str
    home_project: str
    client_email: str
    key_id: str
    private_key: bytes = field(repr=False)


def account_from(text: str, *, project_id: str = "") -> ServiceAccount:
    """Read a service account's file, whole; raises CREDENTIALS_INVALID saying what it is instead.

    `project_id` is the project to send for, where it is not the one that the account lives in.
    """
    named = _object_from(text)
    _check_kind(named)
    if str(named.get("token_uri", TOKEN_URI)) not in _TOKEN_URIS:
        raise invalid("`token_uri` is not Google's; the file may have been changed to steal what is signed with it.")
    if str(named.get("universe_domain", "googleapis.com")) != "googleapis.com":
        raise invalid("The account belongs to another universe than googleapis.com; FCM is not there.")
    home = _named(named, "project_id", _PROJECT)
    try:
        key = rsa_key_from_pem(str(named.get("private_key", "")))
    except Malformed as fault:
        raise invalid(f"`private_key`: {fault}") from None
    message = b"Tidings signs this to see that the key works"
    if not rs256_verifies(key.public_key(), rs256_signature(key, message), message):
        raise invalid("`private_key`: its own signature does not verify; generate another key.")
    key_id = named.get("private_key_id")
    return ServiceAccount(
        project_id=_checked_project(project_id.strip()) or home,
        home_project=home,
        client_email=_named(named, "client_email", _EMAIL),
        key_id=_named(named, "private_key_id", _KEY_ID) if key_id else hashlib.sha1(public_der_from(key)).hexdigest(),  # noqa: S324 - a name
        private_key=der_from(key),
    )


def invalid(why: str, field: str = "service_account") -> CatalogueError:
    """Make the error that says what is wrong with a field of an upload."""
    return CatalogueError(ErrorCode.CREDENTIALS_INVALID, f"{field}: {why}", faults=(FieldFault(field, why),))


def warnings_of(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Say what of an account's name shows that it may do more than it has to, or belongs elsewhere."""
    email, found = settings.get("client_email", ""), []
    for sign, words in BROAD.items():
        if sign in email:
            found.append(
                f"{email} is {words}. Make an account of its own with the one role "
                "`Firebase Cloud Messaging API Admin`: whoever steals its key can then only send messages."
            )
    home = settings.get("home_project", "")
    if home and home != settings.get("project_id"):
        found.append(f"The account lives in {home}; it needs its role in {settings.get('project_id')}.")
    return tuple(found)


def _object_from(text: str) -> dict[str, Any]:
    bare = text.removeprefix("\ufeff").strip()
    if not bare:
        raise invalid(f"Nothing was uploaded. {_WHERE}")
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise invalid(f"The file has more than {LARGEST_FILE} bytes. {_WHERE}")
    if bare.startswith("<"):
        raise invalid(f"This is GoogleService-Info.plist, which belongs into the iOS app. {_WHERE}")
    if bare.startswith("-----BEGIN"):
        raise invalid(f"This is a private key alone; the whole JSON file around it is needed. {_WHERE}")
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        raise invalid(f"This is not JSON, or not all of it. {_WHERE}") from None
    if not isinstance(found, dict):
        raise invalid(f"This is not a JSON object. {_WHERE}")
    return found


def _check_kind(named: Mapping[str, Any]) -> None:
    kind = named.get("type")
    if kind == "service_account":
        return
    words = next((words for name, words in _OTHERS.items() if name in named), None)
    words = _TYPES.get(kind, words) if isinstance(kind, str) else words
    raise invalid(f"{words or 'This is not the key of a service account'}. {_WHERE}")


def _named(named: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = named.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise invalid(f"`{name}` is missing, or not what Google writes there. {_WHERE}")
    return value


def quota_from(text: str) -> int | None:
    """Read `messages_per_minute`: None if it is not given; raises CREDENTIALS_INVALID."""
    digits = text.strip()
    if not digits:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", digits, re.ASCII) or not 1 <= int(digits) <= MOST_A_MINUTE:
        raise invalid(f"Write a whole number from 1 to {MOST_A_MINUTE}, in digits alone.", "messages_per_minute")
    return int(digits)


def _checked_project(project_id: str) -> str:
    if project_id and not _PROJECT.fullmatch(project_id):
        raise invalid("This is not the id of a project; it looks like `my-app-1a2b3`.", "project_id")
    return project_id
