"""Render: a Message and a locale come in, a Rendered goes out, one for each distinct result."""

from __future__ import annotations

from tidings.domain.message import Message, Rendered, Translation


def language_for(message: Message, locale: str | None) -> str | None:
    """Choose the translation for a device's locale: `pt-BR`, then `pt`, then the message's own words (None)."""
    if not locale or not message.locales:
        return None
    known = {tag.lower().replace("_", "-"): tag for tag in message.locales}
    parts = locale.lower().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        tag = known.get("-".join(parts[:length]))
        if tag is not None:
            return tag
    return None


def render(message: Message, language: str | None) -> Rendered:
    """Give the message in one of its languages; None is the language it was written in."""
    words = message.locales.get(language, Translation()) if language else Translation()
    return Rendered(
        title=words.title or message.title,
        body=message.body if words.body is None else words.body,
        url=message.url,
        icon=message.icon,
        image=message.image,
        badge_count=message.badge_count,
        actions=message.actions,
        urgency=message.urgency,
        collapse_id=message.collapse_id,
        language=language,
        data=message.data,
        platforms=message.platforms,
    )
