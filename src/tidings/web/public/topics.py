"""What a person follows: read and changed by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.rules import LONGEST_TOPIC
from tidings.domain.segment import Follower
from tidings.web.auth import container_of
from tidings.web.public.bodies import PRINTABLE
from tidings.web.public.door import body_of
from tidings.web.public.person import person_of

JSON = "application/json"
AT_ONCE = 100
"""Topics that one request may name."""

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_TOPIC, pattern=PRINTABLE)]
Names = Annotated[list[Name], Meta(max_length=AT_ONCE)]


class TopicsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What this person wants to follow, and what no longer; the rest stays."""

    follow: Names = []
    unfollow: Names = []


class TopicAnswer(Struct, frozen=True):
    """A topic that the person follows."""

    topic: str
    since: datetime


class TopicsAnswer(Struct, frozen=True):
    """All that the person follows, by name."""

    topics: list[TopicAnswer]


topics_decoder = msgspec.json.Decoder(TopicsBody)


async def get_topics(request: Request, app: App) -> Response:
    """Give what the person follows."""
    user = await person_of(request, app)
    return _json(await container_of(request).people.follows.of(app.id, user))


async def put_topics(request: Request, app: App) -> Response:
    """Let the person follow topics, and leave others."""
    user = await person_of(request, app)
    body = await body_of(request, topics_decoder)
    follows = container_of(request).people.follows
    return _json(await follows.change_own(app.id, user, follow=body.follow, unfollow=body.unfollow))


def _json(rows: list[Follower]) -> Response:
    answer = TopicsAnswer([TopicAnswer(row.topic, row.since) for row in rows])
    return Response(msgspec.json.encode(answer), media_type=JSON)


SHAPES = (TopicsBody, TopicsAnswer)
"""What the OpenAPI document shows."""
