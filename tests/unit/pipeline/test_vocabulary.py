"""Variables that an event does not have are found when a template is written."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.domain.message import Message, Translation
from tidings.pipeline.vocabulary import unknown_variables

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "conversation": {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "meta": {"type": "object"},
        "open": {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
    },
}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ conversation.title }}{{ user.anything }}{{ actor.name }}{{ app.name }}", None),
        ("{% for tag in tags %}{{ tag }}{% endfor %}{{ tags.size }}{{ meta.any.thing }}{{ open.b }}", None),
        ("{{ conversation.titel }}", "There is no variable 'conversation.titel'; did you mean 'conversation.title'?"),
        ("{{ converation.id }}", "There is no variable 'converation'; did you mean 'conversation'?"),
        ("{{ xyz }}", "There is no variable 'xyz'; there are actor, app, conversation, meta, open, tags, user."),
        ("{{ app.secret }}", "There is no 'app.secret'; there is 'app.name'."),
        ("{{ x", None),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest(source: str, words: str | None) -> None:
    found = [one.message for one in unknown_variables(Message("a", body=source), SCHEMA)]
    assert found == ([words] if words else [])


def test_it_is_found_in_variants_and_links() -> None:
    message = Message("a", url="https://x.y/{{ idd }}", locales={"de": Translation(title="{{ metaa }}")})
    assert [one.field for one in unknown_variables(message, SCHEMA)] == ["url", "locales.de.title"]


def test_without_a_schema_everything_may_be_there() -> None:
    assert list(unknown_variables(Message("{{ anything.at.all }}"), {})) == []
