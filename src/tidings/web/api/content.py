"""What a notification says, as the API shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from tidings.domain.message import Message, Rendered, Templated, Translation, Urgency
from tidings.web.api.platforms import platforms_out


class ActionOut(BaseModel):
    """A button under the notification."""

    id: str
    title: str
    url: str | None


class TemplatedOut(BaseModel):
    """Where a notification's words are from, and what fills their gaps."""

    id: str | None
    version: int | None
    language: str
    variables: dict[str, Any]


class SaidOut(BaseModel):
    """What a notification or a template says."""

    title: str
    body: str
    url: str | None
    icon: str | None
    image: str | None
    badge_count: int | None
    actions: list[ActionOut]
    ttl: int
    urgency: Urgency
    collapse_id: str | None
    data: dict[str, Any]
    locales: dict[str, dict[str, Any]]
    platforms: dict[str, dict[str, Any]]


class ContentOut(SaidOut):
    """What a notification says, as it was sent."""

    template: TemplatedOut | None = Field(description="Where its words are from, if they are Liquid.")


def content_of(message: Message) -> dict[str, Any]:
    """Give what a notification says, with where its words are from."""
    return {**said_of(message), "template": _templated_out(message.templated) if message.templated else None}


def said_of(message: Message) -> dict[str, Any]:
    """Give a message's fields under the names they are sent with."""
    return {
        **words_of(message),
        "badge_count": message.badge_count,
        "ttl": message.ttl,
        "urgency": message.urgency,
        "locales": {tag: translation_out(one) for tag, one in message.locales.items()},
    }


def words_of(message: Message | Rendered) -> dict[str, Any]:
    """Give those of them that are the same in a message and in what it is rendered to."""
    return {
        "title": message.title,
        "body": message.body,
        "url": message.url,
        "icon": message.icon,
        "image": message.image,
        "actions": [ActionOut(id=one.id, title=one.title, url=one.url) for one in message.actions],
        "collapse_id": message.collapse_id,
        "data": message.data,
        "platforms": platforms_out(message.platforms),
    }


def translation_out(words: Translation) -> dict[str, Any]:
    """Give a translation's fields under the names they are sent with."""
    return {"title": words.title, "body": words.body, "url": words.url, "actions": words.actions}


def _templated_out(of: Templated) -> TemplatedOut:
    return TemplatedOut(id=of.template, version=of.version, language=of.language, variables=of.variables)
