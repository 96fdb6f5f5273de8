"""What `tidings doctor` looks at: each check is a function from facts to findings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from tidings.cli.output import counted, number

LAG_WARN = 30.0
LAG_FAIL = 300.0
URGENT_DAYS = 3
"""Days before credentials end from which on it is a failure: a new certificate takes somebody else some time."""
SKEW_WARN = 60.0
SKEW_FAIL = 600.0
DISK_WARN = 2 * 1024**3
DISK_FAIL = 200 * 1024**2

# RFC 8291 §5: every byte of the body follows from these.
_VECTOR = {
    "plaintext": "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24",
    "as_private": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "ua_public": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "salt": "DGv6ra1nlYgDCS1FRnbzlw",
    "body": (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    ),
}


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and how to mend it."""

    name: str
    state: State
    found: str
    mend: str = ""


def of_system(system: Any) -> Iterator[Finding]:
    """Judge what `GET /system` tells: database, workers, queue, and each App's key and contact."""
    yield of_database(system["database"])
    if system["paused"]:
        yield of_pause(system["paused"])
    yield of_workers(system["workers"])
    kind = system["database"]["kind"]
    yield of_lag(system["queue_lag_seconds"], workers=len(system["workers"]), kind=kind)
    for app in system["apps"]:
        yield from of_app(app)
        yield from of_integrations(app)
    if system["insecure_endpoints"]:
        yield Finding(
            "Endpoints",
            State.WARN,
            "http and self-signed push endpoints on this machine are allowed",
            "Unset TIDINGS_ALLOW_INSECURE_ENDPOINTS in production.",
        )


def of_pause(paused: Any) -> Finding:
    """Judge the pause of everything: somebody meant it, and nothing goes out."""
    why = f", because: {paused['reason']}" if paused["reason"] else ""
    return Finding(
        "Sending", State.WARN, f"all sending is paused by {paused['by']}{why}", "Let it go on with: tidings resume"
    )


def of_held(held: Mapping[str, int]) -> Iterator[Finding]:
    """Judge what the tripwire holds of each App, by name."""
    for app, count in held.items():
        if count:
            yield Finding(
                f"App {app}",
                State.WARN,
                f"{counted(count, 'notification')} held until somebody says that it is meant",
                f"Look with: tidings notifications held --app '{app}'",
            )


def of_database(database: Any) -> Finding:
    """Judge the database's version."""
    words = f"{database['kind']} {database['version']}"
    if database["warning"]:
        return Finding("Database", State.WARN, database["warning"], "Use a Python with a newer SQLite.")
    return Finding("Database", State.OK, words)


def of_workers(workers: list[Any]) -> Finding:
    """Judge whether anybody delivers."""
    if not workers:
        return Finding(
            "Workers",
            State.FAIL,
            "none is running",
            "Start `tidings up`, or `tidings worker` beside it with PostgreSQL.",
        )
    senders = sum(worker["senders"] for worker in workers)
    return Finding(
        "Workers",
        State.OK,
        f"{counted(len(workers), 'worker')}, {counted(senders, 'sender process', 'sender processes')}",
    )


def of_lag(seconds: float, *, workers: int, kind: str) -> Finding:
    """Judge how late the oldest due shard is; what is paused or held is due for nobody."""
    words = f"nothing is later than {max(1, round(seconds))} s" if seconds else "nothing is late"
    if seconds < LAG_WARN:
        return Finding("Queue", State.OK, words)
    state = State.FAIL if seconds > LAG_FAIL or not workers else State.WARN
    more = "sender processes (TIDINGS_SENDERS)" + (" or workers" if kind == "postgresql" else "")
    mend = "It goes out once a worker runs, as said above."
    if workers:
        mend = f"After a stop it catches up by itself. If it does not, add {more}."
    return Finding("Queue", state, f"the oldest part has waited {number(seconds)} s", mend)


def of_app(app: Any) -> Iterator[Finding]:
    """Judge one App's key, contact address and integration."""
    name = f"App {app['name']}"
    if not app["key_configured"]:
        mend = f"Run: tidings vapid generate --app {app['id']} --subject mailto:you@example.com"
        yield Finding(name, State.FAIL, "has no VAPID key, so no browser can subscribe", mend)
        return
    if not app["contact"]:
        mend = f"Run: tidings vapid rotate --app {app['id']} --subject mailto:you@example.com"
        yield Finding(name, State.FAIL, "has no contact address, which Apple demands", mend)
    if app["paused_because"]:
        mend = "Mend the credential; then press Resume on the Overview of the dashboard."
        yield Finding(name, State.FAIL, f"is paused: {app['paused_because']}", mend)
        return
    active = app["subscriptions"]["active"]
    if active == 0:
        yield Finding(
            name,
            State.WARN,
            "has a VAPID key, and no subscriber yet",
            "Connect your site and enable push in a browser.",
        )
    elif app["contact"]:
        yield Finding(name, State.OK, f"key and contact {app['contact']}, {counted(active, 'active subscription')}")


def of_integrations(app: Any) -> Iterator[Finding]:
    """Judge credentials that end; a pause of the browsers' own integration is told with the App."""
    for item in app["attention"]:
        if item["matter"] == "integration_paused" and item["provider"] == "webpush":
            continue
        urgent = item["within"] is None or item["within"] <= URGENT_DAYS
        yield Finding(f"App {app['name']}", State.FAIL if urgent else State.WARN, item["detail"], item["mend"])


def of_encryption() -> Finding:
    """Encrypt the example of RFC 8291 §5 and compare every byte."""
    from tidings.lib.agreement import Way, agreement
    from tidings.lib.agreement.lanes import is_possible
    from tidings.lib.crypto import base64url_from, bytes_from_base64, private_key_from_scalar
    from tidings.providers.webpush.encrypt import encrypted

    given = {name: bytes_from_base64(text) for name, text in _VECTOR.items()}
    body = encrypted(
        given["plaintext"],
        p256dh=given["ua_public"],
        auth=given["auth"],
        size=len(given["plaintext"]),
        key=private_key_from_scalar(given["as_private"]),
        salt=given["salt"],
    )
    if base64url_from(body) == _VECTOR["body"]:
        way = agreement().way
        slower = way is not Way.LANES and is_possible()
        more = "; this processor could do eight: install gcc, then Tidings again" if slower else ""
        words = f"the example of RFC 8291 comes out byte for byte; keys are agreed on {way}{more}"
        return Finding("Encryption", State.OK, words)
    return Finding(
        "Encryption", State.FAIL, "the example of RFC 8291 comes out wrong", "Reinstall `cryptography` from its wheel."
    )


def of_disk(folder: Path) -> Finding:
    """Judge the space left where the data folder is, or will be."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / 1024**3:.1f} GiB free at {place}"
    if free >= DISK_WARN:
        return Finding("Disk", State.OK, words)
    return Finding(
        "Disk", State.FAIL if free < DISK_FAIL else State.WARN, words, "Make room: a full disk stops every write."
    )


def of_builds() -> Iterator[Finding]:
    """Look whether the SDK and the dashboard are built into this package."""
    static = files("tidings") / "web" / "static"
    for name, file, target in (("SDK", "sdk/sdk.js", "sdk"), ("Dashboard", "dashboard/index.html", "dashboard")):
        if (static / file).is_file():
            yield Finding(name, State.OK, "built")
        else:
            yield Finding(
                name, State.FAIL, "is not built into this installation", f"Run `make {target}`, or install the wheel."
            )


def of_clock(theirs: datetime | None, *, ours: datetime, host: str) -> Finding:
    """Compare our clock with a push service's `Date`; tokens are judged by theirs."""
    if theirs is None:
        return Finding("Clock", State.WARN, "not checked: no push service was reached", "Keep the clock set with NTP.")
    skew = abs((theirs - ours).total_seconds())
    words = f"{skew:.0f} s off the clock of {host}" if skew >= 2 else f"agrees with {host}"
    if skew < SKEW_WARN:
        return Finding("Clock", State.OK, words)
    return Finding("Clock", State.FAIL if skew > SKEW_FAIL else State.WARN, words, "Set the clock with NTP.")
