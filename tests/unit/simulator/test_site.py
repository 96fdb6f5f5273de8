from __future__ import annotations

import pytest

from tidings.simulator.answers import Request, Response
from tidings.simulator.site import Site


def get(site: Site, path: str, method: str = "GET") -> Response:
    return site.handle(Request(method, path, "", {}, b""))


def test_the_page_loads_the_sdk_of_its_server_and_nothing_else_from_elsewhere() -> None:
    page = get(Site("http://localhost:8080/"), "/")
    assert page.status == 200
    assert b'<script src="http://localhost:8080/push/sdk.js" defer>' in page.body
    policy = dict(page.headers)["content-security-policy"]
    assert "script-src 'self' http://localhost:8080;" in policy
    assert "default-src 'none'" in policy
    assert b"{{" not in page.body


def test_the_worker_is_one_line() -> None:
    site = Site("https://push.example.com", app="app_1")
    worker = get(site, "/tidings-sw.js")
    assert worker.body == b'importScripts("https://push.example.com/v1/app_1/push/service-worker.js");\n'
    assert dict(worker.headers)["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/style.css", "/page.js", "/icon.svg", "/harbour.svg", "/site.webmanifest"])
def test_every_file_the_page_needs_is_there(path: str) -> None:
    assert get(Site("http://localhost:8080"), path).status == 200


def test_other_paths_and_methods_are_refused() -> None:
    site = Site("http://localhost:8080")
    assert get(site, "/../site.py").status == 404
    assert get(site, "/", "POST").status == 405


@pytest.mark.parametrize("address", ["localhost:8080", "ftp://x", "https://x'; script-src *", "", "https://"])
def test_an_address_that_is_no_server_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        Site(address)


def test_an_app_id_with_other_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="not the id"):
        Site("http://localhost:8080", app='"); alert(1); ("')
