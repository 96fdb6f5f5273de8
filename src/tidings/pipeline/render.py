"""Render: a Message and a locale come in, a Rendered goes out, one for each distinct result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tidings.domain.message import Action, Message, Rendered, Translation


def language_for(message: Message, locale: str | None) -> str | None:
    """Choose the translation for a device's locale: `pt-BR`, then `pt`, then the message's own words (None)."""
    if not locale or not message.locales:
        return None
    return tag_for(message.locales, locale)


def tag_for(tags: Iterable[str], locale: str | None) -> str | None:
    """Find among language tags the one for a locale, else for the locale without its region or script."""
    if not locale:
        return None
    known = {tag.lower().replace("_", "-"): tag for tag in tags}
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
        url=words.url or message.url,
        icon=message.icon,
        image=message.image,
        badge_count=message.badge_count,
        actions=_named(message.actions, words.actions) if words.actions else message.actions,
        urgency=message.urgency,
        collapse_id=message.collapse_id,
        language=language,
        data=message.data,
        platforms=message.platforms,
    )


def _named(actions: tuple[Action, ...], titles: dict[str, str]) -> tuple[Action, ...]:
    return tuple(replace(one, title=titles.get(one.id) or one.title) for one in actions)
