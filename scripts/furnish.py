"""What is put into a demo before its pictures are taken: something on every page, and the ids that pages are about."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

from support.instance import Instance

PROJECT = "harbour-app"

TEMPLATE = {
    "name": "Reminder",
    "event_type": "appointment.reminder",
    "title": "Your appointment at {{ appointment.place }}",
    "body": 'It begins {{ appointment.at | date: "short" }}.',
    "locales": {"de": {"title": "Dein Termin am {{ appointment.place }}"}},
}
TRIGGER = {
    "name": "Call an operator",
    "event_type": "conversation.escalated",
    "conditions": 'event.bot.id in ["b-1", "b-2"]',
    "audience": {"users_where": 'user.role == "operator" && user.available == true'},
    "template": {
        "title": "{{ bot.name }} needs you, {{ user.name }}",
        "body": "A visitor wants to talk to a person.",
        "url": "https://www.example.com/c/{{ conversation.id }}",
        "actions": [{"id": "take", "title": "I take it"}],
        "locales": {"de": {"title": "{{ bot.name }} braucht dich, {{ user.name }}"}},
    },
    "throttle": {"key": ["event.conversation.id"], "window": 600},
}


def told(instance: Instance, path: str, body: Any) -> Any:
    request = Request(f"http://127.0.0.1:{instance.simulator['control']}{path}", json.dumps(body).encode())
    with urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


async def furnished(instance: Instance) -> dict[str, str]:
    """Send a few notifications and add integrations; give the ids that pages are about."""
    account = told(instance, "/fcm/projects", {"project": PROJECT})["service_account"]
    fields = {"service_account": json.dumps(account)}
    fcm = await instance.rest(
        "POST", "/integrations", {"provider": "fcm", "label": "Firebase Production", "credentials": fields}
    )
    sent = ""
    for title, to in (
        ("The harbour reopens on Monday", {"all": True}),
        ("Storm warning until tonight", {"tags": {"topic": "weather"}}),
        ("Your order is ready", {"users": ["u-42"]}),
    ):
        body = {
            "to": to,
            "title": title,
            "body": "The first ferry leaves at six.",
            "url": "https://www.example.com/news",
        }
        made = await instance.rest("POST", "/notifications", body)
        sent = sent or made["id"]
        await instance.done(f"/notifications/{made['id']}")
    (push,) = [one for one in (await instance.rest("GET", "/integrations"))["data"] if one["provider"] == "webpush"]
    (expired,) = (await instance.rest("GET", "/subscriptions?status=expired&limit=1"))["data"]
    hook = {
        "url": "https://www.example.com/hooks/tidings",
        "events": ["delivery.failed", "receipt.clicked"],
        "description": "Our CRM",
    }
    webhook = (await instance.rest("POST", "/webhooks", hook))["id"]
    ids = {
        "webhook": webhook,
        "subscription": expired["id"],
        "fcm": fcm["id"],
        "webpush": push["id"],
        "notification": sent,
    }
    return {**ids, "segment": await segmented(instance), **await automated(instance)}


async def segmented(instance: Instance) -> str:
    """Keep two segments; give the id of the one that is shown."""
    await instance.rest("POST", "/segments", {"name": "Weather", "conditions": 'subscription.tags.topic == "weather"'})
    conditions = (
        'subscription.last_seen_at.withinLast("30d") && (subscription.locale.startsWith("de") || user.town == "Graz")'
    )
    made = await instance.rest("POST", "/segments", {"name": "German, seen lately", "conditions": conditions})
    return str(made["id"])


async def automated(instance: Instance) -> dict[str, str]:
    """Declare event types with a trigger and a template, and let something happen."""
    conversation, words = {"type": "object", "properties": {"id": {"type": "string"}}}, {"type": "string"}
    bot = {"type": "object", "properties": {"id": words, "name": words}}
    place = {"type": "object", "properties": {"at": words, "place": words}}
    for key, name, category, properties, example in (
        (
            "conversation.escalated", "A visitor wants a person", "Live chat",
            {"conversation": conversation, "bot": bot},
            {"conversation": {"id": "c-1"}, "bot": {"id": "b-1", "name": "Ada"}},
        ),
        (
            "appointment.reminder", "An appointment is near", "Appointments", {"appointment": place},
            {"appointment": {"at": "2026-12-01T09:00:00Z", "place": "Pier 3"}},
        ),
    ):  # fmt: skip
        body = {"name": name, "category": category, "variables": {"properties": properties}, "examples": [example]}
        await instance.rest("PUT", f"/event-types/{key}", body)
    template = await instance.rest("POST", "/templates", TEMPLATE)
    trigger = await instance.rest("POST", "/triggers", TRIGGER)
    reminder = {"name": "Remind of appointments", "event_type": "appointment.reminder", "audience": {"users": "event"}}
    await instance.rest("POST", "/triggers", {**reminder, "template": template["id"], "channels": ["webpush", "fcm"]})
    for bot_id in ("b-1", "b-1", "b-9"):
        data = {"conversation": {"id": "c-7"}, "bot": {"id": bot_id, "name": "Ada"}}
        event = await instance.rest("POST", "/events", {"type": "conversation.escalated", "data": data, "actor": "u-7"})
        await instance.done(f"/events/{event['id']}")
    return {"trigger": trigger["id"], "template": template["id"], "event": event["id"]}
