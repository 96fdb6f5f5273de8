"""What a site pastes: addresses that exist, for this App and this instance."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import OPERATOR, client_of

from tidings.web.public import scripts
from tidings.wiring import Container


@pytest.fixture(autouse=True)
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in scripts.NAMES:
        (tmp_path / name).write_text("console.log(1)\n")
    monkeypatch.setattr(scripts, "FOLDER", tmp_path)


async def test_every_address_in_them_is_served_and_names_the_app(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container
) -> None:
    app = (await container.apps.resolve(None)).public_id
    found = (await api.get(f"/api/v1/apps/{app}/snippets")).json()
    assert [one["way"] for one in found["snippets"]] == ["file", "worker", "npm"]
    for one in found["snippets"]:
        code = "\n".join(step["code"] for step in one["steps"])
        scripts_in = [url for url in re.findall(r'https://[^"]+', code) if url.endswith(".js")]
        assert scripts_in
        for url in scripts_in:
            assert f"/v1/{app}/push/" in url
            answer = await browser.get(url)
            assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/javascript")
        assert "Tidings.init(" in code
        assert "Tidings.subscribe()" in code
    assert "self.__tidingsKeepWaiting = true" in found["snippets"][1]["steps"][0]["code"]
    assert f'server: "https://push.example.com", app: "{app}"' in found["snippets"][2]["steps"][2]["code"]
    assert found["policy"].count("https://push.example.com") == 2
    assert found["check"] == "await Tidings.check()"


async def test_without_a_public_address_they_name_the_one_that_was_asked(app: FastAPI, container: Container) -> None:
    object.__setattr__(container, "settings", container.settings.model_copy(update={"public_url": None, "port": 8080}))
    public_id = (await container.apps.resolve(None)).public_id
    asked = {"Host": "192.168.1.5:9000"}, {"Host": "localhost"}
    async with client_of(app, Authorization=f"Bearer {OPERATOR}") as client:
        told = [
            (await client.get(f"/api/v1/apps/{public_id}/snippets", headers=host)).json()["server"] for host in asked
        ]
    assert told == ["https://192.168.1.5:9000", "http://localhost:8080"]
