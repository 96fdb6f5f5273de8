"""Who follows what: GET /users/{id}/topics; PUT, DELETE /users/{id}/topics/{topic}; GET, POST /topics/{topic}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.domain.rules import LONGEST_TOPIC
from tidings.domain.segment import Follower
from tidings.services.paging import Page
from tidings.web.api.shapes import FIRST_LIMIT, Body, Limit, ListOf, listed
from tidings.web.api.users import ExternalId, ReadApp, WriteApp
from tidings.web.auth import By, container_of, in_app

AT_ONCE = 1_000
"""People that one request may name."""

ListApp = Annotated[App, in_app(Permission.APP_READ)]
WordCursor = Annotated[str | None, Query(max_length=1_200, description="`next_cursor` of the page before.")]
TopicName = Annotated[
    str, Path(min_length=1, max_length=LONGEST_TOPIC, description="What it is about, such as `product:22`.")
]
Ids = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(max_length=AT_ONCE)]

router = APIRouter(tags=["Topics"])


class TopicOut(BaseModel):
    """A topic that a person follows."""

    topic: str
    since: datetime


class FollowerOut(BaseModel):
    """A person who follows a topic."""

    user: str = Field(description="The App's own id.")
    since: datetime


class FollowersBody(Body):
    """Who is to follow a topic, and who is to leave it; whoever is named in both leaves it."""

    follow: Ids = Field(default=[], examples=[["u-42", "u-43"]])
    unfollow: Ids = Field(default=[], examples=[["u-7"]])


class FollowersChanged(BaseModel):
    """How many people began to follow it, and how many stopped; who did already is not counted."""

    followed: int
    unfollowed: int


class TopicCount(BaseModel):
    """A topic, and how many people follow it."""

    topic: str
    followers: int


@router.get("/users/{external_id:path}/topics", operation_id="list_user_topics", summary="List a user's topics")
async def list_user_topics(
    request: Request, app: ReadApp, external_id: ExternalId, limit: Limit = FIRST_LIMIT, cursor: WordCursor = None
) -> ListOf[TopicOut]:
    """List what a person follows, by name."""
    service = container_of(request).people.follows
    return listed(await service.topics(app.id, external_id, cursor=cursor, limit=limit), _topic_out)


@router.put(
    "/users/{external_id:path}/topics/{topic:path}",
    operation_id="follow_topic",
    summary="Let a user follow a topic",
    responses={201: {"model": TopicOut, "description": "The user did not follow it before."}},
)
async def follow_topic(
    request: Request, by: By, response: Response, app: WriteApp, external_id: ExternalId, topic: TopicName
) -> TopicOut:
    """Let a person follow a topic, whether the App knows them already or not; twice is once."""
    found, new = await container_of(request).people.follows.follow(app.id, external_id, topic, by=by)
    if new:
        response.status_code = 201
    return _topic_out(found)


@router.delete(
    "/users/{external_id:path}/topics/{topic:path}",
    operation_id="unfollow_topic",
    summary="Let a user leave a topic",
    status_code=204,
)
async def unfollow_topic(request: Request, by: By, app: WriteApp, external_id: ExternalId, topic: TopicName) -> None:
    """Let a person follow a topic no longer; it is no fault when they did not."""
    await container_of(request).people.follows.unfollow(app.id, external_id, topic, by=by)


@router.get("/topics/{topic:path}/followers", operation_id="list_followers", summary="List a topic's followers")
async def list_followers(
    request: Request, app: ListApp, topic: TopicName, limit: Limit = FIRST_LIMIT, cursor: WordCursor = None
) -> ListOf[FollowerOut]:
    """List who follows a topic, by id."""
    page: Page[Follower] = await container_of(request).people.follows.followers(
        app.id, topic, cursor=cursor, limit=limit
    )
    return listed(page, _follower_out)


@router.post("/topics/{topic:path}/followers", operation_id="change_followers", summary="Change a topic's followers")
async def change_followers(
    request: Request, by: By, app: WriteApp, topic: TopicName, body: FollowersBody
) -> FollowersChanged:
    """Let up to 1 000 people follow a topic, and as many leave it: all of them, or on a fault none."""
    done = await container_of(request).people.follows.change_followers(
        app.id, topic, follow=body.follow, unfollow=body.unfollow, by=by
    )
    return FollowersChanged(followed=done.followed, unfollowed=done.unfollowed)


@router.get("/topics/{topic:path}", operation_id="get_topic", summary="Count a topic's followers")
async def get_topic(request: Request, app: ListApp, topic: TopicName) -> TopicCount:
    """Count the people who follow a topic; one that nobody has named yet has none."""
    found = await container_of(request).people.follows.topic(app.id, topic)
    return TopicCount(topic=found.name, followers=found.followers)


def _topic_out(row: Follower) -> TopicOut:
    return TopicOut(topic=row.topic, since=row.since)


def _follower_out(row: Follower) -> FollowerOut:
    return FollowerOut(user=row.user, since=row.since)
