"""Pictures of every page on the mock API, to look at: empty, full, failing, by role; phone, tablet, desk; light, dark.

    npm run build && ../.venv/bin/python dev/screenshots.py OUT [WORD ...]

Words choose among names such as `members-busy` (none: all of them). It also says which page is wider than its screen or
complains on the console.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, Page, async_playwright

HERE = Path(__file__).parent
SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desk": (1440, 900)}
Step = Callable[[Page], Awaitable[object]]


class Shot(NamedTuple):
    """One page in one scene, after a few steps."""

    name: str
    scene: str
    path: str
    steps: tuple[Step, ...] = ()


def press(name: str, *, role: str = "button", nth: int = 0) -> Step:
    return lambda page: page.get_by_role(role, name=re.compile(name)).nth(nth).click()


def write(label: str, text: str) -> Step:
    return lambda page: page.get_by_label(re.compile(label)).first.fill(text)


def scroll(text: str) -> Step:
    return lambda page: page.get_by_role("heading", name=text).scroll_into_view_if_needed()


SIGN_IN = (write("E-mail", "anna@example.com"),)
SHOTS = [
    Shot("sign-in", "out", "/sign-in"),
    Shot("sign-in-wrong", "out", "/settings/members", (*SIGN_IN, write("^Password", "wrong"), press("^Sign in$"))),
    Shot("sign-in-locked", "out", "/sign-in", (*SIGN_IN, write("^Password", "locked"), press("^Sign in$"))),
    Shot("sign-in-code", "out", "/sign-in", (write("E-mail", "two@example.com"), write("^Password", "right"), press("^Sign in$"), write("Code", "000000"))),
    Shot("sign-in-recovery", "out", "/sign-in", (write("E-mail", "two@example.com"), write("^Password", "right"), press("^Sign in$"), press("recovery"))),
    Shot("sign-in-oidc", "out", "/sign-in?error=oidc_failed"),
    Shot("sign-in-nobody", "first", "/"),
    Shot("setup", "first", "/setup#good", (write("Name", "Anna"), write("E-mail", "anna"), write("^Password", "annaanna12"), press("Create"))),
    Shot("setup-spent", "first", "/setup#spent"),
    Shot("invite", "out", "/invite#good"),
    Shot("invite-known", "out", "/invite#known"),
    Shot("invite-inside", "busy", "/invite#good"),
    Shot("invite-spent", "out", "/invite#spent"),
    Shot("reset", "out", "/reset#good", (write("New", "correct horse battery"),)),
    Shot("overview", "busy", "/"),
    Shot("overview", "viewer", "/"),
    Shot("send", "viewer", "/send"),
    Shot("subscriptions", "viewer", "/subscriptions"),
    Shot("push", "viewer", "/settings/push-notifications"),
    Shot("system", "viewer", "/settings/system"),
    Shot("profile", "busy", "/settings/profile"),
    Shot("profile", "empty", "/settings/profile"),
    Shot("profile", "failing", "/settings/profile"),
    Shot("profile-totp", "empty", "/settings/profile", (press("Turn on two"),)),
    Shot("profile-codes", "busy", "/settings/profile", (press("New recovery"), press("Make new"))),
    Shot("profile-password", "busy", "/settings/profile", (press("Change the password"), write("New password", "summer"))),
    Shot("profile-confirm", "stale", "/settings/profile", (press("New recovery"), press("Make new"))),
    Shot("members", "busy", "/settings/members"),
    Shot("members", "empty", "/settings/members"),
    Shot("members", "admin", "/settings/members"),
    Shot("members", "viewer", "/settings/members"),
    Shot("members", "failing", "/settings/members"),
    Shot("members", "slow", "/settings/members"),
    Shot("members-manage", "busy", "/settings/members", (press("Manage Fried"),)),
    Shot("members-invite", "busy", "/settings/members", (press("^Invite"),)),
    Shot("members-link", "busy", "/settings/members", (press("^Invite"), write("E-mail", "jo@example.com"), press("Make the link"))),
    Shot("members-remove", "busy", "/settings/members", (press("Manage Mia"), press("Remove from"))),
    Shot("members-whole", "several", "/settings/members", (press("Whole", role="tab"), press("Manage Mia"))),
    Shot("keys", "busy", "/settings/api-keys"),
    Shot("keys", "empty", "/settings/api-keys"),
    Shot("keys", "viewer", "/settings/api-keys"),
    Shot("keys-create", "busy", "/settings/api-keys", (press("Create a key"),)),
    Shot("audit", "busy", "/settings/audit", (lambda page: page.locator("summary").nth(1).click(), press("Verify"))),
    Shot("audit", "empty", "/settings/audit"),
    Shot("audit", "trouble", "/settings/audit", (press("Verify"), lambda page: page.get_by_text("tampered").scroll_into_view_if_needed())),
    Shot("audit-filter", "busy", "/settings/audit?action=session.signed_in&actor=mem_2"),
    Shot("providers", "busy", "/settings/sign-in", (press("Test"),)),
    Shot("providers", "empty", "/settings/sign-in"),
    Shot("providers-edit", "busy", "/settings/sign-in", (press("Add a"),)),
    Shot("menu", "several", "/"),
]


async def serve(scene: str) -> tuple[asyncio.subprocess.Process, str]:
    """Serve the built files with the mock in one scene."""
    process = await asyncio.create_subprocess_exec("node", HERE / "serve.mjs", env={**os.environ, "SCENE": scene, "PORT": "0"}, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    return process, (await process.stdout.readline()).decode().strip()


async def take(browser: Browser, shot: Shot, scheme: str, size: str, out: Path) -> None:
    """Take one picture, each from a server of its own: what steps change is nobody else's."""
    process, url = await serve(shot.scene)
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    name = f"{shot.name}-{shot.scene}-{size}-{scheme}"
    try:
        page = await context.new_page()
        page.set_default_timeout(8000)
        page.on("console", lambda said: print(f"{name}: {said.text}") if said.type == "error" and "Failed to load resource" not in said.text else None)
        page.on("pageerror", lambda fault: print(f"{name}: {fault}"))
        await page.goto(url + shot.path)
        await page.get_by_role("heading", level=1).wait_for()
        for step in shot.steps:
            await step(page)
        await page.wait_for_timeout(350)
        if shot.name == "menu" and size == "phone":
            await page.get_by_role("button", name="Open menu").click()
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            print(f"{name}: wider than the screen")
        full = await page.locator("dialog[open]").count() == 0
        await page.screenshot(path=out / f"{name}.png", full_page=full)
    except Exception as fault:
        print(f"{name}: {str(fault).splitlines()[0]}")
        await page.screenshot(path=out / f"{name}-broken.png")
    finally:
        await context.close()
        process.terminate()
        await process.wait()


async def main(out: Path, words: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    looks = [("phone", "light"), ("desk", "light"), ("desk", "dark"), ("phone", "dark"), ("tablet", "light")]
    if words and words[0].startswith("looks="):
        looks = [tuple(one.split("-")) for one in words.pop(0)[6:].split(",")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=os.geteuid() != 0)
        for shot in SHOTS:
            if not words or any(word in f"{shot.name}-{shot.scene}" for word in words):
                for size, scheme in looks:
                    await take(browser, shot, scheme, size, out)
        await browser.close()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
