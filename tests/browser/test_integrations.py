"""Settings, Integrations in a real Chromium: FCM, APNs and Web Push against simulated vendors, tested and sent with."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from support.apple import BUNDLE_ID, KEY_ID, TEAM_ID, p8, push_certificate
from support.axe import serious
from support.dashboard import fits_a_phone, founds, visitor
from support.instance import Instance, running_server
from support.phones import led_to
from support.vapid import new_keys
from tidings.lib.crypto import generate_key
from tidings.simulator.apns.senders import BOTH, Certificate, Key
from tidings.simulator.run import Running, SimulatorConfig, serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PROJECT = "harbour-app"


@pytest.fixture(scope="module")
async def simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with serve(SimulatorConfig(folder=tmp_path_factory.mktemp("simulator"))) as running:
        yield running


@pytest.fixture(scope="module")
async def instance(simulator: Running, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server for which every vendor's address leads to the simulator."""
    async with running_server(tmp_path_factory.mktemp("integrations"), hosts=led_to(simulator)) as running:
        made = json.loads(await running.command("key", "create", "--name", "test", "--json"))
        running.key = made["key"]
        yield running


@pytest.fixture(scope="module")
async def page(chromium: Browser, instance: Instance) -> AsyncIterator[Page]:
    """The first member's browser."""
    async with visitor(chromium) as opened:
        await founds(opened, instance)
        yield opened


def file(name: str, content: str | bytes) -> FilePayload:
    raw = content.encode() if isinstance(content, str) else content
    return FilePayload(name=name, mimeType="application/octet-stream", buffer=raw)


async def adding(page: Page, instance: Instance, provider: str) -> Page:
    """Walk the way that people walk: Add Integration, Push Notifications, the provider."""
    await page.goto(f"{instance.url}/settings/integrations")
    await page.get_by_role("link", name="Add Integration").click()
    await page.get_by_role("link", name="Push Notifications To phones").click()
    await page.get_by_role("main").get_by_role("link", name=re.compile(rf"^{provider} ")).click()
    await expect(page.get_by_role("heading", name=f"Add {provider}")).to_be_visible()
    return page


async def proves(page: Page, words: str) -> None:
    await page.get_by_role("button", name="Test Connection").click()
    await expect(page.get_by_text(words).first).to_be_visible()


async def saved(page: Page, label: str) -> str:
    """Save, see that the page of the integration tests it once more, and give its id."""
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    await expect(page.get_by_text("The connection works")).to_be_visible()
    return page.url.rsplit("/", 1)[1].partition("?")[0]


async def fits_and_is_accessible(page: Page) -> None:
    assert await serious(page) == []
    assert await fits_a_phone(page)


async def test_fcm_by_upload_is_tested_saved_and_delivers_a_test_to_a_phone(
    page: Page, instance: Instance, simulator: Running
) -> None:
    project = simulator.fcm.oauth.project(PROJECT)
    await adding(page, instance, "FCM")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Upload the JSON file")).to_be_visible()
    await page.get_by_label("Label").fill("Firebase Production")
    await page.get_by_label("Upload the service-account JSON key").set_input_files(
        file("account.json", json.dumps(project.file()))
    )
    await expect(page.get_by_label("Firebase Project ID")).to_have_value(PROJECT)
    await fits_and_is_accessible(page)
    quota = page.get_by_label("Messages a minute")
    await expect(page.get_by_text("what Google lets a project send")).to_be_visible()
    await quota.fill("1 200")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Write a whole number, in digits alone")).to_be_visible()
    await quota.fill("1200")
    project.api_enabled = False
    await proves(page, f"The Firebase Cloud Messaging API is switched off in {PROJECT}.")
    project.api_enabled = True
    await proves(page, "The connection works")
    integration = await saved(page, "Firebase Production")
    await expect(page.get_by_text(re.compile(r"^1\W?200$"))).to_be_visible()
    assert (await instance.rest("GET", f"/integrations/{integration}"))["settings"]["messages_per_minute"] == "1200"
    await fits_and_is_accessible(page)

    (token,) = simulator.fcm.make(PROJECT, 1, seed="one")
    body = {"provider": "fcm", "token": token, "device": "Pixel 10", "user": "u-42"}
    await instance.rest("POST", "/subscriptions", body)
    dialog = await sending(page, "Pixel 10")
    await dialog.get_by_label("Title").fill("Ahoy")
    await dialog.get_by_label("Body").fill("From the harbour")
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.get_by_text("It should appear within a few seconds")).to_be_visible()
    await dialog.get_by_text("If it does not appear").click()
    await expect(dialog.get_by_text("Has the device or browser granted permission?")).to_be_visible()
    await expect(dialog.get_by_text("FCM takes messages for")).to_be_visible()
    assert await serious(page) == []
    (arrived,) = simulator.journal.messages(limit=5)
    assert (arrived["title"], arrived["body"]) == ("Ahoy", "From the harbour")
    await dialog.get_by_role("button", name="Close", exact=True).first.click()

    await page.get_by_role("tab", name="Subscriptions").click()
    for column in ("Device/Browser", "Created", "Last Active", "Status"):
        await expect(page.get_by_role("columnheader", name=column)).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("Pixel 10.*u-42.*Active"))).to_be_visible()
    assert (await instance.rest("GET", f"/integrations/{integration}"))["tested"]["ok"]


async def sending(page: Page, device: str) -> Locator:
    await page.get_by_role("button", name="Send Test Notification").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Search devices and browsers").fill(device[:5])
    await dialog.get_by_role("radio", name=re.compile(device)).check()
    return dialog


async def test_fcm_by_paste_says_what_is_wrong_with_what_was_pasted(page: Page, instance: Instance) -> None:
    await adding(page, instance, "FCM")
    await page.get_by_label("Label").fill("Staging")
    box = page.get_by_label("or paste it")
    await box.fill('{"project_info": {"project_id": "x"}}')
    await page.get_by_role("button", name="Test Connection").click()
    await expect(page.get_by_text("This is google-services.json")).to_be_visible()
    await expect(box).to_be_focused()
    # What only the server can see is said at the field too.
    await box.fill(json.dumps({"type": "service_account", "project_id": "staging-app", "private_key": "nonsense"}))
    await page.get_by_role("button", name="Test Connection").click()
    await expect(page.get_by_text("private_key")).to_be_visible()
    await expect(box).to_have_attribute("aria-invalid", "true")


async def test_fcm_by_paste_is_saved_with_a_warning_of_broader_permissions(
    page: Page, instance: Instance, simulator: Running
) -> None:
    account = simulator.fcm.oauth.project("broad-app").file()
    await adding(page, instance, "FCM")
    await page.get_by_label("Label").fill("Firebase Production")
    await page.get_by_label("or paste it").fill(json.dumps(account))
    await expect(page.get_by_label("Firebase Project ID")).to_have_value("broad-app")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Another integration of this provider has this label.")).to_be_visible()
    await page.get_by_label("Label").fill("Second project")
    broad = {**account, "client_email": "firebase-adminsdk-x1@broad-app.iam.gserviceaccount.com"}
    await page.get_by_label("or paste it").fill(json.dumps(broad))
    await expect(page.get_by_text("has broader permissions than sending needs")).to_be_visible()
    await page.get_by_label("or paste it").fill(json.dumps(account))
    await saved(page, "Second project")


async def test_apns_with_a_key_proves_both_environments_and_an_expired_device_is_explained(
    page: Page, instance: Instance, simulator: Running
) -> None:
    key = generate_key()
    simulator.apple.senders.add_key(Key(TEAM_ID, KEY_ID, key.public_key()))
    await adding(page, instance, "APNs")
    for words in (
        "The environments are separate",
        "wrong environment fails silently",
        "must match how the app was built",
    ):
        await expect(page.get_by_text(words)).to_be_visible()
    await page.get_by_label("Label").fill("Apple Development")
    await page.get_by_label("Upload the .p8 private key file").set_input_files(file(f"AuthKey_{KEY_ID}.p8", p8(key)))
    await expect(page.get_by_label("Key ID")).to_have_value(KEY_ID)
    await page.get_by_label("Team ID").fill("nope")
    await page.get_by_label("Bundle ID").fill(BUNDLE_ID)
    await page.get_by_role("radio", name="Sandbox").check()
    await proves(page, "A Team ID has 10 letters and digits")
    await expect(page.get_by_label("Team ID")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Team ID").fill("ZZZZZ12345")
    await proves(page, "Apple does not recognise the key")
    await page.get_by_label("Team ID").fill(TEAM_ID)
    await proves(page, f"Apple accepts the key for {BUNDLE_ID} in sandbox.")
    await fits_and_is_accessible(page)
    await saved(page, "Apple Development")
    await expect(page.get_by_text("Sandbox", exact=True).first).to_be_visible()

    (phone,) = simulator.apple.devices.make(1, topic=BUNDLE_ID, environment="sandbox", shares=[], seed="gone")
    await instance.rest(
        "POST",
        "/subscriptions",
        {"provider": "apns", "token": phone.token, "environment": "sandbox", "device": "iPhone 17"},
    )
    dialog = await sending(page, "iPhone 17")
    phone.ended = simulator.apple.clock.now().timestamp() + 3600
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.get_by_text("The browser or device no longer has this subscription")).to_be_visible()
    await expect(dialog.get_by_text("The subscription is expired: unregistered.")).to_be_visible()
    await dialog.get_by_role("button", name="Send another").click()
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog.get_by_text("The device is expired: unregistered.")).to_be_visible()
    assert await serious(page) == []
    await dialog.get_by_role("button", name="Close", exact=True).first.click()


async def test_apns_with_a_certificate_asks_for_the_password_and_shows_its_end(
    page: Page, instance: Instance, simulator: Running
) -> None:
    made = push_certificate(BUNDLE_ID, days=20)
    pem = made.certificate.public_bytes(Encoding.PEM)
    simulator.apple.senders.add_certificate(pem.decode(), Certificate((BUNDLE_ID,), BOTH))
    await adding(page, instance, "APNs")
    await page.get_by_label("Label").fill("Old certificate")
    await page.get_by_role("radio", name="Certificate").check()
    await page.get_by_label("Upload the .p12 file").set_input_files(file("push.p12", made.p12()))
    await page.get_by_label("Certificate password").fill("wrong")
    await proves(page, "The password does not open this .p12")
    await expect(page.get_by_label("Certificate password")).to_be_focused()
    await page.get_by_label("Certificate password").fill("open sesame")
    await proves(page, "The certificate expires on")
    await saved(page, "Old certificate")
    await expect(page.get_by_text(re.compile(r"ends in (19|20) days")).first).to_be_visible()
    assert await serious(page) == []
    shown = (await page.content()).replace("\n", "")
    assert base64.b64encode(made.p12()).decode()[:40] not in shown
    await page.goto(f"{instance.url}/")
    await expect(page.get_by_text("The certificate of APNs, Old certificate ends in")).to_be_visible()


async def test_a_paused_integration_says_why_and_resumes_with_other_credentials(
    page: Page, instance: Instance, simulator: Running
) -> None:
    project = simulator.fcm.oauth.project("paused-app")
    fields = {"service_account": json.dumps(project.file())}
    made = await instance.rest(
        "POST", "/integrations", {"provider": "fcm", "label": "Paused one", "credentials": fields}
    )
    (token,) = simulator.fcm.make("paused-app", 1, seed="paused")
    phone = await instance.rest(
        "POST", "/subscriptions", {"provider": "fcm", "token": token, "integration": made["id"]}
    )
    project.permitted = False
    await instance.rest("POST", "/notifications", {"to": {"subscriptions": [phone["id"]]}, "title": "Stuck"})
    await page.goto(f"{instance.url}/settings/integrations/{made['id']}")
    await expect(page.get_by_role("heading", name="Paused one", exact=True)).to_be_visible()
    while not (await instance.rest("GET", f"/integrations/{made['id']}"))["paused_because"]:
        pass
    await page.reload()
    await expect(page.get_by_text("The service account may not send messages for the project")).to_be_visible()
    await page.get_by_role("button", name="Replace the credentials").click()
    await expect(page.get_by_label("Firebase Project ID")).to_have_value("paused-app")
    project.permitted = True
    await page.get_by_label("or paste it").fill(fields["service_account"])
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("button", name="Replace the credentials")).to_be_visible()
    await expect(page.get_by_text("is paused")).to_have_count(0)
    assert not (await instance.rest("GET", f"/integrations/{made['id']}"))["paused_because"]
    await page.get_by_role("button", name="Remove this integration").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("heading", name="Integrations")).to_be_visible()
    await expect(page.get_by_role("link", name="Paused one")).to_have_count(0)


async def test_web_push_takes_what_the_tool_prints_and_tests_every_push_service(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.url}/settings/integrations")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Web Push"))
    await card.get_by_role("link", name="Open Web Push").click()
    await expect(page.get_by_role("heading", name="Web Push", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Replace the credentials").click()
    keys = new_keys()
    printed = f"\n====\n\nPublic Key:\n{keys.public}\n\nPrivate Key:\n{keys.private}\n\n====\n"
    await page.get_by_label("VAPID Public Key").evaluate(
        """(field, text) => {
          const data = new DataTransfer();
          data.setData("text", text);
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        printed,
    )
    await expect(page.get_by_label("VAPID Private Key")).to_have_value(keys.private)
    await page.get_by_label("Contact email").fill("you@localhost")
    form = page.locator("form", has=page.get_by_label("VAPID Public Key"))
    await form.get_by_role("button", name="Test Connection").click()
    await expect(page.get_by_label("Contact email")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Contact email").fill("you@example.com")
    await form.get_by_role("button", name="Test Connection").click()
    for words in (
        "The two keys belong together",
        "web.push.apple.com answers",
        "wns2-par02p.notify.windows.com answers",
    ):
        await expect(form.get_by_text(words)).to_be_visible()
    await fits_and_is_accessible(page)
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("button", name="Replace the credentials")).to_be_visible()
    (push,) = [one for one in (await instance.rest("GET", "/integrations"))["data"] if one["provider"] == "webpush"]
    assert next(key for key in push["keys"] if key["status"] == "current")["public_key"] == keys.public


async def test_who_may_not_change_integrations_sees_them_and_why(
    chromium: Browser, page: Page, instance: Instance
) -> None:
    context = await chromium.new_context()
    guest = await context.new_page()
    apps = await instance.rest("GET", "/apps")
    made = await page.request.post(
        f"{instance.url}/api/v1/invitations?app={apps['data'][0]['id']}",
        data={"email": "jo@example.com", "role": "viewer"},
        headers={"Origin": instance.url},
    )
    await guest.goto((await made.json())["link"])
    await guest.get_by_label("Name", exact=True).fill("Jo Reed")
    await guest.get_by_label("Password", exact=True).fill("twelve gulls on a roof")
    await guest.get_by_role("button", name=re.compile("account|Join|Accept", re.IGNORECASE)).click()
    await expect(guest.get_by_role("heading", name="Overview")).to_be_visible()
    await guest.goto(f"{instance.url}/settings/integrations")
    await expect(guest.get_by_role("link", name="Firebase Production", exact=True)).to_be_visible()
    await expect(guest.get_by_text("As a viewer").first).to_be_visible()
    for name in ("Add Integration", "Set up FCM"):
        await expect(guest.get_by_role("link", name=name)).to_have_count(0)
    await expect(guest.get_by_role("button", name=re.compile("Send Test"))).to_have_count(0)
    await guest.goto(f"{instance.url}/settings/integrations/add?provider=fcm")
    await expect(guest.get_by_text("may not change keys and integrations")).to_be_visible()
    await context.close()
