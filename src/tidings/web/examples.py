"""A body for each operation that takes one: what the reference shows, and what somebody copies and sends.

A test sends each of them, so that none can be refused for what it is.
"""

from __future__ import annotations

from typing import Any

_MESSAGE = {
    "to": {"users": ["u-42"]},
    "title": "The ferry is late",
    "body": "Departure from pier 3 at 10:40",
    "url": "https://www.example.com/ferry",
}
_TEMPLATE = {
    "title": "{{ author.name }} replied",
    "body": "in {{ topic.title | truncate: 60 }}",
    "url": "https://www.example.com/topics/{{ topic.id }}",
}
_VARIABLES = {"author": {"name": "Ada"}, "topic": {"id": 7, "title": "Which wick lasts longest?"}}
_ESCALATED = {"conversation": {"id": "c-17"}, "bot": {"id": "b-1", "name": "Ada"}}
_TRIGGER = {
    "name": "Call an operator",
    "event_type": "conversation.escalated",
    "conditions": 'event.bot.id == "b-1"',
    "audience": {"users_where": 'user.role == "operator"'},
    "template": {
        "title": "{{ bot.name }} needs you",
        "url": "https://app.example.com/c/{{ conversation.id }}",
    },
}
_CONDITIONS = 'user.plan == "pro" && subscription.last_seen_at.withinLast("30d")'
_FCM = {"service_account": "<the JSON file of the service account, as text>"}
_DEVICE = {"id": "sub_01jd8k3v5x0000000000000000", "secret": "<the secret of its registration>"}
_CREDENTIAL = {"id": "<what the options gave>", "credential": {"id": "<what the browser gave>"}}
_TOKEN = {"token": "<the part of the link behind the #>"}
_PASSWORD = "four quiet herons walk"  # noqa: S105 - shown to everybody
_CODE = "123456"

EXAMPLES: dict[str, Any] = {
    "send_notification": _MESSAGE,
    "fit_notification": _MESSAGE,
    "look_ahead": {"to": {"users": ["u-42"]}},
    "count_audience": {"to": {"tags": {"plan": "pro"}}},
    "settle_held": {"action": "send"},
    "send_test": {"user": "u-42"},
    "create_template": {"name": "New reply", **_TEMPLATE},
    "replace_template": {"name": "New reply", **_TEMPLATE},
    "preview_words": {"template": _TEMPLATE, "variables": _VARIABLES},
    "preview_template": {"variables": _VARIABLES, "user": "u-42"},
    "put_event_type": {
        "name": "A visitor wants a person",
        "category": "Live chat",
        "variables": {
            "properties": {
                "conversation": {"type": "object", "properties": {"id": {"type": "string"}}},
                "bot": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
            }
        },
        "examples": [_ESCALATED],
    },
    "report_events": {"type": "conversation.escalated", "id": "c-17-escalated", "data": _ESCALATED, "actor": "u-7"},
    "create_trigger": _TRIGGER,
    "replace_trigger": _TRIGGER,
    "dry_run_trigger": {"data": _ESCALATED, "about": ["u-42"]},
    "put_preferences": {"event_types": {"conversation.escalated": {"push": False}}},
    "put_quiet_hours": {"from": "22:00", "to": "07:00", "time_zone": "Europe/Vienna"},
    "change_followers": {"follow": ["u-42", "u-43"], "unfollow": ["u-7"]},
    "create_segment": {"name": "Pro, seen lately", "conditions": _CONDITIONS},
    "update_segment": {"name": "Pro, seen lately", "conditions": _CONDITIONS},
    "count_conditions": {"conditions": _CONDITIONS},
    "read_conditions": {"conditions": _CONDITIONS},
    "create_webhook": {
        "url": "https://hooks.example.com/tidings",
        "events": ["delivery.failed", "receipt.clicked"],
        "description": "Our CRM",
    },
    "change_webhook": {"enabled": False},
    "rotate_webhook_secret": {"keep_seconds": 86_400},
    "replay_webhook": {"since": "2027-01-01T09:00:00Z"},
    "register_subscription": {"provider": "fcm", "token": "<registration token>", "user": "u-42", "device": "Pixel 10"},
    "update_subscription": {"tags": {"plan": "pro", "beta": None}},
    "lookup_users": {"ids": ["u-42", "u-43"]},
    "put_user": {
        "attributes": {"name": "Anna", "role": "operator", "available": True},
        "locale": "de",
        "time_zone": "Europe/Vienna",
    },
    "create_app": {"name": "Harbour News", "origins": ["https://www.example.com"]},
    "update_app": {"origins": ["https://www.example.com"], "language": "de"},
    "make_identity_secret": {"grace_hours": 24},
    "add_integration": {"provider": "fcm", "label": "Firebase Production", "credentials": _FCM},
    "update_integration": {"label": "Firebase Production"},
    "try_credentials": {"provider": "fcm", "credentials": _FCM},
    "make_key": {"action": "generate", "subject": "mailto:you@example.com"},
    "send_test_notification": {"subscription": _DEVICE["id"], "title": "It works"},
    "create_channel": {"label": "Final, Saturday"},
    "create_key": {"name": "Shop server", "scopes": ["send"]},
    "pause_system": {"reason": "Wrong link in the campaign"},
    "sign_in": {"email": "you@example.com", "password": _PASSWORD},
    "show_second_factor": {"code": _CODE},
    "sign_in_by_passkey": _CREDENTIAL,
    "confirm_session": {"password": _PASSWORD},
    "set_up": {**_TOKEN, "name": "Nora", "email": "nora@example.com", "password": _PASSWORD},
    "reset_password": {**_TOKEN, "new": _PASSWORD},
    "update_me": {"name": "Nora"},
    "change_password": {"current": "<the one you have>", "new": _PASSWORD},
    "confirm_totp": {"code": _CODE},
    "add_passkey": {"name": "My laptop", **_CREDENTIAL},
    "rename_passkey": {"name": "My laptop"},
    "update_member": {"role": "editor"},
    "invite": {"email": "ben@example.com", "role": "editor"},
    "look_at_invitation": _TOKEN,
    "accept_invitation": {**_TOKEN, "name": "Ben", "password": _PASSWORD},
    "put_oidc_provider": {
        "name": "Google",
        "issuer": "https://accounts.google.com",
        "client_id": "1234",
        "client_secret": "<theirs>",
    },
    "register_device": {"provider": "fcm", "token": "<registration token>", "locale": "de-AT"},
    "unregister_device": _DEVICE,
    "subscribe": {
        "subscription": {
            "endpoint": "https://fcm.googleapis.com/fcm/send/abc",
            "keys": {
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            },
        },
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "tags": {"plan": "pro"},
    },
    "unsubscribe": _DEVICE,
    "report_receipt": {"delivery": "<from the message>", "token": "<from the message>", "event": "clicked"},
    "set_device_tags": {**_DEVICE, "tags": {"plan": "pro", "beta": None}},
    "track_event": {**_DEVICE, "name": "cart.left", "properties": {"items": 3}},
    "put_own_preferences": {"event_types": {"conversation.escalated": {"push": False}}},
    "put_own_topics": {"follow": ["product:22"], "unfollow": ["author:7"]},
    "read_feed": {"all": True},
    "archive_feed": {"ids": ["ntf_01jd8k3v5x0000000000000000"]},
}
"""By operation."""
