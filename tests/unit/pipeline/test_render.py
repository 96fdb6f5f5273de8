"""One message in the reader's language."""

from __future__ import annotations

import pytest

from tidings.domain.message import Message, Translation
from tidings.pipeline.render import language_for, render

MESSAGE = Message(
    title="Hello",
    body="World",
    locales={"de": Translation("Hallo", "Welt"), "pt": Translation("Olá"), "pt-BR": Translation(body="Mundo")},
)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_at", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt-PT", "pt"),
        ("zh-Hant-TW", None),
        ("", None),
        (None, None),
        ("-", None),
    ],
)
def test_the_nearest_translation_is_chosen(locale: str | None, language: str | None) -> None:
    assert language_for(MESSAGE, locale) == language


def test_a_translation_replaces_only_what_it_has() -> None:
    assert (render(MESSAGE, "pt").title, render(MESSAGE, "pt").body) == ("Olá", "World")
    assert (render(MESSAGE, "pt-BR").title, render(MESSAGE, "pt-BR").body) == ("Hello", "Mundo")
    assert (render(MESSAGE, None).title, render(MESSAGE, None).language) == ("Hello", None)


def test_a_message_without_translations_is_rendered_once_for_everybody() -> None:
    plain = Message(title="Hello")
    assert {language_for(plain, locale) for locale in ("de", "en-GB", None)} == {None}
