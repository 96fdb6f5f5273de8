"""What a notification may say and where it may lead: asked when it is taken, and by the worker before it is sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from tidings.domain.message import Message, Rendered, Translation
from tidings.domain.platforms import Platforms

LONGEST_LINK = 2_000
"""Characters of a URL."""

LONGEST_TITLE = 200
LONGEST_BODY = 2_000
LONGEST_BUTTON = 60
LONGEST_COLLAPSE_ID = 64
"""Characters of a message's parts."""

_LINK = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:@]+)(?::(?P<port>\d{1,5}))?", re.ASCII)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})

_OPENS = {"\u202a": "\u202c", "\u202b": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
"""Embeddings and isolates, with what closes each."""
_CLOSES = frozenset(_OPENS.values())
_OVERRIDES = frozenset("\u202d\u202e")
_OBSOLETE = frozenset(map(chr, range(0x206A, 0x2070)))
"""Format characters that Unicode advises against; nothing is written with them (Unicode 23.3)."""

_BREAKS = frozenset("\n\r\t")
_NEVER_IN_LINKS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})


class ContentFault(StrEnum):
    """Why a message is not sent; the recipients are counted under it."""

    UNSAFE_LINK = "unsafe_link"
    UNSAFE_IMAGE = "unsafe_image"
    UNSAFE_TEXT = "unsafe_text"
    TEMPLATE_FAILED = "template_failed"


class Finding(NamedTuple):
    """One fault of a message: the field it is in, as the API calls it, what kind it is, and how to mend it."""

    field: str
    fault: ContentFault
    words: str


def is_local(host: str) -> bool:
    """Tell whether a host is one that browsers trust without https: this machine itself."""
    return host in _LOCAL or host.endswith(".localhost")


def link_fault(url: str) -> str | None:
    """Say what keeps a URL from being opened by a click; None for https, and for http of this machine.

    Browsers and parsers do not agree about spaces, backslashes, credentials and characters that nobody sees, so none
    of them is taken (https://url.spec.whatwg.org/#url-parsing).
    """
    return _wrong_form(url) or _wrong_scheme(url, local=True)


def image_fault(url: str) -> str | None:
    """Say what keeps a URL from being shown as icon or picture; None for https, and for http of this machine."""
    return _wrong_form(url) or _wrong_scheme(url, local=True)


def text_fault(text: str, *, one_line: bool) -> str | None:
    """Say what in a text could mislead whoever reads it; None for what people write, in any script.

    Refused are control characters, overrides of the direction, and a change of direction that is not ended in the same
    text. Marks, isolates, joiners and emoji are what languages are written with, and stay.
    """
    open_ends: list[str] = []
    for character in text:
        if character in _OPENS:
            open_ends.append(_OPENS[character])
        elif character in _CLOSES:
            if not open_ends or open_ends.pop() != character:
                return "The text ends a change of direction that it has not begun."
        elif character < " " or "\x7f" <= character <= "\x9f" or character in "\u2028\u2029":
            if one_line or character not in _BREAKS:
                return "The text has a control character." if character not in _BREAKS else "Write it in one line."
        elif character in _OVERRIDES or character in _OBSOLETE:
            return "The text has a character that changes the order in which others are shown."
        elif "\ud800" <= character <= "\udfff":
            return "The text has half of a surrogate pair, which is no character."
    return "The text begins a change of direction and does not end it." if open_ends else None


def findings(message: Message | Rendered) -> Iterator[Finding]:
    """Find what a message must not say or lead to."""
    locales = message.locales if isinstance(message, Message) else {}
    yield from _texts(message, locales)
    links = [("url", message.url), *((f"actions.{n}.url", one.url) for n, one in enumerate(message.actions))]
    links += [(f"locales.{tag}.url", words.url) for tag, words in locales.items()]
    if message.platforms.webpush:
        links.append(("platforms.webpush.url", message.platforms.webpush.url))
    for field, url in links:
        if url is not None and (words := link_fault(url)):
            yield Finding(field, ContentFault.UNSAFE_LINK, words)
    for field, url in (("icon", message.icon), ("image", message.image), *_pictures(message.platforms)):
        if url is not None and (words := image_fault(url)):
            yield Finding(field, ContentFault.UNSAFE_IMAGE, words)


def _texts(message: Message | Rendered, locales: dict[str, Translation]) -> Iterator[Finding]:
    lines = [("title", message.title), *((f"actions.{n}.title", one.title) for n, one in enumerate(message.actions))]
    longer = [("body", message.body)]
    for tag, words in locales.items():
        lines.append((f"locales.{tag}.title", words.title or ""))
        lines += [(f"locales.{tag}.actions.{name}", title) for name, title in words.actions.items()]
        longer.append((f"locales.{tag}.body", words.body or ""))
    for name in ("android", "apns", "webpush"):
        of = getattr(message.platforms, name)
        lines += [
            (f"platforms.{name}.{part}", getattr(of, part, None) or "") for part in ("title", "subtitle", "ticker")
        ]
        longer.append((f"platforms.{name}.body", getattr(of, "body", None) or ""))
    for one_line, fields in ((True, lines), (False, longer)):
        for field, text in fields:
            if not _is_plain(text) and (wrong := text_fault(text, one_line=one_line)):
                yield Finding(field, ContentFault.UNSAFE_TEXT, wrong)


def _pictures(platforms: Platforms) -> Iterator[tuple[str, str | None]]:
    if platforms.android:
        yield "platforms.android.image", platforms.android.image
    if platforms.webpush:
        yield "platforms.webpush.icon", platforms.webpush.icon
        yield "platforms.webpush.image", platforms.webpush.image


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _wrong_form(url: str) -> str | None:
    if len(url) > LONGEST_LINK:
        return f"Write at most {LONGEST_LINK} characters."
    if "\\" in url or any(unicodedata.category(character) in _NEVER_IN_LINKS for character in url):
        return "A URL has no spaces, backslashes, control characters or characters that nobody sees."
    return None


def _wrong_scheme(url: str, *, local: bool) -> str | None:
    link = _LINK.fullmatch(url)
    if link is None:
        if _SCHEME.match(url) and not url.lower().startswith(("https:", "http:")):
            return f"A link begins with https://, not with {url.partition(':')[0][:20]}:."
        return "Write the whole URL, beginning with https://."
    authority = _AUTHORITY.fullmatch(link["authority"])
    if "@" in link["authority"]:
        return "A URL has no user name and no password."
    if authority is None or not _is_host(authority["host"]) or int(authority["port"] or 0) > 65_535:
        return "This is not a URL; write it whole, as https://www.example.com/page."
    if link["scheme"].lower() == "https":
        return None
    if not local:
        return "The URL must begin with https://."
    return None if is_local(authority["host"].lower()) else "The URL must begin with https://; http is for localhost."


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return True
    labels = host.removesuffix(".").split(".")
    return all(label and all(one.isalnum() or one in "-_" or _is_mark(one) for one in label) for label in labels)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
