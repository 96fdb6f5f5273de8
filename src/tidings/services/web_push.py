"""Whether an App's web push is on: turned off, nothing is sent to browsers, and keys and subscribers stay."""

from __future__ import annotations

from collections.abc import Iterable

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Subscription
from tidings.providers import BROWSER
from tidings.storage import Transaction

_OFF = b"0"


def web_push_enabled(tx: Transaction, app_id: int) -> bool:
    """Tell whether browsers of the App are sent to, and may subscribe. It is so until somebody turns it off."""
    return tx.instance.value(_setting(app_id)) != _OFF


def enable_web_push(tx: Transaction, app_id: int, enabled: bool) -> None:
    """Turn it on or off."""
    tx.instance.set_value(_setting(app_id), b"1" if enabled else _OFF)


def check_web_push(tx: Transaction, app_id: int) -> None:
    """Raise WEB_PUSH_OFF where it is off."""
    if not web_push_enabled(tx, app_id):
        raise CatalogueError(ErrorCode.WEB_PUSH_OFF)


def reached_among(tx: Transaction, app_id: int, devices: Iterable[Subscription]) -> set[int]:
    """Give the ids of those that are sent to: all of them, or, while it is off, all but browsers."""
    enabled = web_push_enabled(tx, app_id)
    return {one.id for one in devices if enabled or one.provider != BROWSER}


def _setting(app_id: int) -> str:
    return f"app:{app_id}:web_push"
