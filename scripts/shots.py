"""Which pictures are taken: each page of the dashboard with the steps that lead to what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from playwright.async_api import Page, Route, expect

Step = Callable[[Page], Awaitable[object]]


class Shot(NamedTuple):
    """One page of one server, after a few steps."""

    name: str
    path: str
    steps: tuple[Step, ...] = ()


def press(name: str, *, role: Any = "button", nth: int = 0) -> Step:
    return lambda page: page.get_by_role(role, name=re.compile(name)).nth(nth).click()


def write(label: str, text: str) -> Step:
    return lambda page: page.get_by_label(re.compile(label)).first.fill(text)


def field(name: str, text: str) -> Step:
    return lambda page: page.get_by_role("textbox", name=name).fill(text)


def seen(text: str) -> Step:
    return lambda page: expect(page.get_by_text(re.compile(text)).first).to_be_visible()


WHAT_IS_SHOWN = re.compile(r"/api/v1/(?!session|apps\b)")
"""All but who one is, without which there is no page at all."""


async def fails(page: Page) -> None:
    """Let the server fail from now on."""
    told = {
        "title": "Something went wrong here",
        "status": 500,
        "code": "internal",
        "mend": "Try again; the log says why.",
    }
    await page.route(
        WHAT_IS_SHOWN,
        lambda to: to.fulfill(status=500, content_type="application/problem+json", body=json.dumps(told)),
    )
    await page.reload()


async def gone(page: Page) -> None:
    """Let no server be there any more."""
    await page.route(WHAT_IS_SHOWN, lambda to: to.abort())
    await page.reload()


async def idle(page: Page) -> None:
    """Let no worker be running."""

    async def without(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), "workers": [], "queue_lag_seconds": 812})

    await page.route(re.compile(r"/api/v1/system(\?|$)"), without)
    await page.reload()


async def signed_out(page: Page) -> None:
    """Let the session end while somebody writes."""
    refused = {"title": "Sign in first", "status": 401, "code": "unauthorized"}
    await page.route(
        re.compile(r"/api/v1/(?!session)"),
        lambda to: to.fulfill(status=401, content_type="application/problem+json", body=json.dumps(refused)),
    )
    await page.route(re.compile(r"/api/v1/session$"), lambda to: to.abort())


def tab(name: str) -> Step:
    return press(name, role="tab")


NOBODY = [Shot("sign-in", "/sign-in")]
EMPTY = [
    Shot("overview-empty", "/"),
    Shot("notifications-empty", "/notifications"),
    Shot("analytics-empty", "/analytics"),
    Shot("subscriptions-empty", "/subscriptions"),
    Shot("segments-empty", "/segments"),
    Shot("integrations-empty", "/settings/integrations"),
    Shot("push-notifications", "/settings/push-notifications"),
    Shot("api-keys-empty", "/settings/api-keys"),
    Shot("members-empty", "/settings/members"),
    Shot("triggers-empty", "/settings/triggers"),
    Shot("users-empty", "/users"),
    Shot("events-empty", "/events"),
    Shot("templates-empty", "/templates"),
    Shot("sign-in-providers-empty", "/settings/sign-in"),
]
FULL = [
    Shot("overview", "/"),
    Shot(
        "send",
        "/send",
        (
            write("^Title", "Fresh fish"),
            field("Message", "At the quay from nine. Come before it is gone."),
            write("^URL", "https://www.example.com/fish"),
            press("Ask for an opinion", role="radio"),
        ),
    ),
    Shot(
        "send-iphone",
        "/send",
        (
            write("^Title", "Fresh fish"),
            field("Message", "At the quay from nine."),
            tab("iPhone"),
            seen("devices would"),
        ),
    ),
    Shot(
        "send-confirm",
        "/send",
        (write("^Title", "Fresh fish"), seen("devices would"), press("Send to all devices"), seen("Sending begins")),
    ),
    Shot("send-faults", "/send", (write("^URL", "fish"), seen("devices would"), press("Send to all devices"))),
    Shot("notifications", "/notifications"),
    Shot("analytics", "/analytics?days=7"),
    Shot("subscriptions", "/subscriptions"),
    Shot("subscription", "/subscriptions/{subscription}"),
    Shot("segments", "/segments", (seen(r"\d devices"),)),
    Shot("segment", "/segments/{segment}", (seen("in it now"),)),
    Shot("send-segment", "/send?segment={segment}", (seen("would get it now"),)),
    Shot("integrations", "/settings/integrations"),
    Shot("integration-type", "/settings/integrations/add"),
    Shot("integration-provider", "/settings/integrations/add?type=push"),
    Shot(
        "integration-fcm",
        "/settings/integrations/add?provider=fcm",
        (write("^Label", "Firebase Staging"), press("Test Connection"), seen("Upload the JSON")),
    ),
    Shot("integration-apns", "/settings/integrations/add?provider=apns"),
    Shot(
        "integration-apns-certificate",
        "/settings/integrations/add?provider=apns",
        (press("^Certificate", role="radio"),),
    ),
    Shot("integration-webhook", "/settings/integrations/add?provider=webhook"),
    Shot("integration", "/settings/integrations/{webpush}"),
    Shot("integration-tested", "/settings/integrations/{fcm}", (press("Test Connection"), seen("connection"))),
    Shot("integration-subscriptions", "/settings/integrations/{webpush}?tab=subscriptions"),
    Shot(
        "integration-test",
        "/settings/integrations/{webpush}",
        (press("Send Test Notification"), write("Search devices", "u-42"), seen("u-42")),
    ),
    Shot("triggers", "/settings/triggers"),
    Shot("trigger", "/settings/triggers/{trigger}"),
    Shot("trigger-dry-run", "/settings/triggers/{trigger}?tab=try", (press("^Dry run$"), seen("^It would fire"))),
    Shot("trigger-firings", "/settings/triggers/{trigger}?tab=came"),
    Shot("trigger-new", "/settings/triggers/new", (press("^Create Trigger$"),)),
    Shot("users", "/users"),
    Shot("user", "/users/u-42"),
    Shot("user-erase", "/users/u-42", (press("^Erase"),)),
    Shot("events", "/events"),
    Shot("event", "/events/{event}"),
    Shot("event-types", "/event-types"),
    Shot("event-type", "/event-types/conversation.escalated"),
    Shot("templates", "/templates"),
    Shot("template", "/templates/{template}"),
    Shot("members", "/settings/members"),
    Shot("api-keys", "/settings/api-keys"),
    Shot("webhooks", "/settings/webhooks"),
    Shot("webhook", "/settings/webhooks/{webhook}"),
    Shot("audit", "/settings/audit"),
    Shot("system", "/settings/system"),
    Shot("profile", "/settings/profile"),
    Shot("notification", "/notifications/{notification}", (seen("When people reacted"),)),
    Shot("notification-question", "/notifications/{asked}", (seen("Yes, please"),)),
    Shot("palette", "/", (lambda page: page.keyboard.press("Control+k"), seen("^Create Trigger$"))),
    Shot(
        "leave",
        "/templates/new",
        (write("^Name", "Fresh fish"), press("Templates", role="link"), seen("Leave without")),
    ),
    Shot("not-found", "/nowhere"),
]
FAILING = [
    Shot("overview-failing", "/", (idle, seen("No worker is running"))),
    Shot("system-failing", "/settings/system", (idle, seen("No worker is running"))),
    Shot("integrations-failing", "/settings/integrations"),
    Shot("integration-failing", "/settings/integrations/{fcm}"),
    Shot("notification-failed", "/notifications/{failed}", (seen("too long"),)),
    Shot("notification-failing", "/notifications/{notification}", (fails, seen("Try again"))),
    Shot("server-gone", "/subscriptions", (gone, seen("does not answer"))),
    Shot(
        "session-ended",
        "/templates/new",
        (write("^Name", "Fresh fish"), signed_out, write("^Title", "Fresh fish"), seen("waits in this window")),
    ),
]
VIEWER = [
    Shot("send-viewer", "/send", (seen("may not send"),)),
    Shot("members-viewer", "/settings/members", (seen("may not"),)),
    Shot("trigger-viewer", "/settings/triggers/{trigger}"),
]
