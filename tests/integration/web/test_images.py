"""Images over REST: uploaded, shown to everybody who has the address, listed, deleted, gone when nobody loads them."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest
from tests.integration.web.instance import problem

from support.pictures import SVG, bomb, picture
from tidings.lib.clock import FixedClock
from tidings.services import images
from tidings.web.bodies import MAX_IMAGE
from tidings.wiring import Container

AT = "/api/v1/images"


async def uploaded(api: httpx2.AsyncClient, raw: bytes, **params: str) -> dict[str, object]:
    answer = await api.post(AT, content=raw, params=params)
    assert answer.status_code == 201, answer.text
    body: dict[str, object] = answer.json()
    assert answer.headers["location"] == f"{AT}/{body['id']}"
    return body


async def test_one_is_uploaded_shown_listed_and_deleted(api: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    made = await uploaded(api, picture("JPEG", (400, 300)))
    assert (made["media_type"], made["width"], made["height"]) == ("image/jpeg", 400, 300)
    url = str(made["url"])
    assert url == f"https://push.example.com/push/images/{made['id']}.jpg"
    shown = await browser.get(url)
    assert (shown.status_code, len(shown.content)) == (200, made["bytes"])
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in shown.headers["cache-control"]
    assert shown.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "sandbox" in shown.headers["content-security-policy"]
    again = await browser.get(url, headers={"If-None-Match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await api.get(AT)).json()["data"] == [made]
    assert (await api.get(f"{AT}/{made['id']}")).json() == made
    sent = {"to": {"all": True}, "title": "x", "image": url, "icon": url}
    assert (await api.post("/api/v1/notifications/fit", json=sent)).status_code == 200
    assert (await api.delete(f"{AT}/{made['id']}")).status_code == 204
    problem(await browser.get(url), 404, "not_found")
    problem(await api.get(f"{AT}/{made['id']}"), 404, "not_found")
    logged = [one["action"] for one in (await api.get("/api/v1/audit")).json()["data"]]
    assert logged[:2] == ["image.deleted", "image.uploaded"]


async def test_the_same_one_again_has_the_same_address_in_its_app_alone(
    api: httpx2.AsyncClient, container: Container
) -> None:
    second = (await container.apps.create("Second")).app
    first = await container.apps.ensure_first()
    raw = picture()
    made = await uploaded(api, raw, app=first.public_id)
    assert (await uploaded(api, raw, app=first.public_id))["url"] == made["url"]
    assert (await uploaded(api, raw, app=second.public_id))["url"] != made["url"]


@pytest.mark.parametrize("raw", [b"", SVG, bomb(), picture()[:60], b"%PDF-1.7 no picture"])
async def test_what_is_no_picture_is_refused(api: httpx2.AsyncClient, raw: bytes) -> None:
    problem(await api.post(AT, content=raw, headers={"Content-Type": "image/png"}), 422, "image_invalid")
    assert (await api.get(AT)).json()["data"] == []


async def test_one_larger_than_the_limit_is_refused_unread(api: httpx2.AsyncClient) -> None:
    problem(await api.post(AT, content=bytes(MAX_IMAGE + 1)), 413, "body_too_large")


async def test_an_app_has_so_many_and_no_more(api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_BYTES", 200)
    await uploaded(api, picture(size=(8, 8)))
    refused = await api.post(AT, content=picture("PNG", (600, 600), "RGBA"))
    assert "are the most" in problem(refused, 409, "images_too_many")["detail"]


@pytest.mark.parametrize("name", ["img_x.png", "img_x", "..%2f..%2fetc%2fpasswd", "%00", "x" * 300])
async def test_other_addresses_show_nothing(browser: httpx2.AsyncClient, name: str) -> None:
    assert (await browser.get(f"/push/images/{name}")).status_code == 404


async def test_the_ending_belongs_to_the_address(api: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    made = await uploaded(api, picture())
    problem(await browser.get(str(made["url"]).replace(".png", ".html")), 404, "not_found")


async def test_one_that_is_loaded_stays_and_one_that_is_not_goes(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, clock: FixedClock
) -> None:
    loaded, left = await uploaded(api, picture()), await uploaded(api, picture("JPEG"))
    clock.at += timedelta(days=300)
    assert (await browser.get(str(loaded["url"]))).status_code == 200
    clock.at += timedelta(days=300)
    assert (await container.retention.run())["images"] == 1
    assert (await browser.get(str(loaded["url"]))).status_code == 200
    assert (await browser.get(str(left["url"]))).status_code == 404
