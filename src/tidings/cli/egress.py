"""Whether the push services of the world can be reached from here: DNS, TLS and what their clocks say."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPSConnection

from tidings.cli.checks import Finding, State

SERVICES = {
    "fcm.googleapis.com": "Chrome and its relatives",
    "updates.push.services.mozilla.com": "Firefox",
    "web.push.apple.com": "Safari",
    "wns2-par02p.notify.windows.com": "Edge on Windows",
}
LIMIT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of calling one host: its clock, or why there was no answer."""

    host: str
    date: datetime | None = None
    fault: str = ""


async def reached(hosts: list[str], *, port: int = 443, limit: float = LIMIT_SECONDS) -> list[Reached]:
    """Call every host at once, each with `limit` seconds; any answer over a verified TLS connection counts."""
    return await asyncio.gather(*(_call(host, port, limit) for host in hosts))


async def _call(host: str, port: int, limit: float) -> Reached:
    try:
        return await asyncio.wait_for(asyncio.to_thread(_head, host, port, limit), limit)
    except TimeoutError:
        return Reached(host, fault=f"no answer within {limit:g} s")


def _head(host: str, port: int, limit: float) -> Reached:
    # Delivery uses no proxy from the environment, and neither does http.client.
    with closing(HTTPSConnection(host, port, timeout=limit)) as connection:
        try:
            connection.request("HEAD", "/")
            return Reached(host, date=_date(connection.getresponse().headers.get("date")))
        except (HTTPException, OSError) as error:
            return Reached(host, fault=getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def of_egress(found: list[Reached], *, lenient: bool) -> list[Finding]:
    """Judge each host; `lenient` (development on this machine) makes an unreachable one a warning."""
    return [
        Finding("Egress", State.OK, f"{one.host} answers ({SERVICES.get(one.host, 'push service')})")
        if not one.fault
        else Finding(
            "Egress",
            State.WARN if lenient else State.FAIL,
            f"{one.host} ({SERVICES.get(one.host, 'push service')}): {one.fault}",
            f"Allow outgoing HTTPS to {one.host}, port 443, and check DNS.",
        )
        for one in found
    ]
