"""What a stranger might want the server to call: refused at every door that takes a URL, and again at the last one."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pycurl
import pytest
from tests.integration.web.instance import HOST, Names, base64url, problem, push_subscription

from support.wire import Server, failure_of, one, request
from tidings.domain.errors import CatalogueError
from tidings.lib.clock import SystemClock
from tidings.lib.curl import CurlClient
from tidings.lib.egress import AddressGuard, ForbiddenUrl
from tidings.lib.exchange import FailureKind, Reply
from tidings.lib.fetch import WHERE_A_URL_LEADS, Fetch, Fetcher
from tidings.lib.http import Client
from tidings.providers.webpush.settings import default_policy
from tidings.services.oidc_provider import Providers
from tidings.wiring import Container

INVALID, INSECURE, USER, IP, PORT, FORBIDDEN, PRIVATE, LONG = (
    f"subscription_endpoint_{name}"
    for name in ("invalid", "insecure", "userinfo", "ip", "port", "forbidden", "private", "too_long")
)

URLS = [
    # this machine and its network, in every notation of an address
    ("https://127.0.0.1/", IP),
    ("https://127.0.0.1:443/", IP),
    ("https://127.1/", IP),
    ("https://127.000.000.001/", IP),
    ("https://0/", IP),
    ("https://0.0.0.0/", IP),
    ("https://2130706433/", IP),
    ("https://0x7f000001/", IP),
    ("https://0x7f.0x0.0x0.0x1/", IP),
    ("https://017700000001/", IP),
    ("https://0177.0.0.1/", IP),
    ("https://127.0.0.1./", IP),
    ("https://10.0.0.1/", IP),
    ("https://192.168.1.1/admin", IP),
    ("https://169.254.169.254/latest/meta-data/iam/security-credentials/", IP),
    ("https://2852039166/latest/meta-data/", IP),
    ("https://100.100.100.200/latest/meta-data/", IP),
    ("https://168.63.129.16/", IP),
    ("https://8.8.8.8/", IP),
    ("https://[::]/", IP),
    ("https://[::1]/", IP),
    ("https://[0:0:0:0:0:0:0:1]/", IP),
    ("https://[::127.0.0.1]/", IP),
    ("https://[::ffff:127.0.0.1]/", IP),
    ("https://[::ffff:a9fe:a9fe]/", IP),
    ("https://[64:ff9b::a9fe:a9fe]/", IP),
    ("https://[64:ff9b:1::7f00:1]/", IP),
    ("https://[2002:7f00:1::]/", IP),
    ("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", IP),
    ("https://[fe80::1%25eth0]/", IP),
    ("https://[fd00:ec2::254]/latest/meta-data/", IP),
    ("https://[2606:4700::5efe:7f00:1]/", IP),
    ("https://[::1", INVALID),
    # names that only look like a push service
    ("https://evil.example/", FORBIDDEN),
    ("https://evil.example/https://fcm.googleapis.com/", FORBIDDEN),
    ("https://evil.example/x.push.apple.com", FORBIDDEN),
    ("https://evil.example?.notify.windows.com/", FORBIDDEN),
    ("https://fcm.googleapis.com.evil.example/", FORBIDDEN),
    ("https://evilfcm.googleapis.com/", FORBIDDEN),
    ("https://evilpush.apple.com/", FORBIDDEN),
    ("https://storage.googleapis.com/bucket", FORBIDDEN),
    ("https://android.chromlum.info/", FORBIDDEN),
    ("https://xn--fm-cmc.googleapis.com/", FORBIDDEN),
    ("https://f\u0441m.googleapis.com/", INVALID),
    ("https://fcm.googleapis\u3002com/", INVALID),
    ("https://\uff11\uff12\uff17.0.0.1/", INVALID),
    ("https://fcm\u2024googleapis.com/", INVALID),
    # names of this network
    ("https://localhost/", FORBIDDEN),
    ("https://localhost./", INVALID),
    ("https://LOCALHOST/", FORBIDDEN),
    ("https://a.localhost/", FORBIDDEN),
    ("https://intranet/", FORBIDDEN),
    ("https://metadata.google.internal/computeMetadata/v1/", FORBIDDEN),
    ("https://kubernetes.default.svc.cluster.local/", FORBIDDEN),
    ("https://127.0.0.1.nip.io/", FORBIDDEN),
    ("https://localtest.me/", FORBIDDEN),
    # what two parsers read differently
    ("https://fcm.googleapis.com@127.0.0.1/", USER),
    ("https://fcm.googleapis.com:443@127.0.0.1/", USER),
    ("https://127.0.0.1@fcm.googleapis.com/", USER),
    ("https://@fcm.googleapis.com/", USER),
    ("https://127.0.0.1\\@fcm.googleapis.com/", INVALID),
    ("https://fcm.googleapis.com\\.evil.example/", INVALID),
    ("https:\\\\127.0.0.1/", INVALID),
    ("https://127.0.0.1#@fcm.googleapis.com/", INVALID),
    ("https://fcm.googleapis.com/#", INVALID),
    ("https://127.0.0.1%2f.push.apple.com/", INVALID),
    ("https://127%2e0%2e0%2e1/", INVALID),
    ("https://fcm.googleapis.com%00.evil.example/", INVALID),
    ("https://fcm.google\tapis.com/", INVALID),
    ("https://fcm.googleapis.com/\r\nHost: 127.0.0.1", INVALID),
    (" https://fcm.googleapis.com/", INVALID),
    ("https://fcm.googleapis.com./", INVALID),
    ("https:/fcm.googleapis.com/", INVALID),
    ("https:///127.0.0.1/", INVALID),
    ("//127.0.0.1/", INVALID),
    # other ports and protocols
    ("https://fcm.googleapis.com:22/", PORT),
    ("https://fcm.googleapis.com:6379/", PORT),
    ("https://fcm.googleapis.com:/", PORT),
    ("http://fcm.googleapis.com/", INSECURE),
    ("http://127.0.0.1:9200/", INSECURE),
    ("file:///etc/passwd", INSECURE),
    ("gopher://127.0.0.1:6379/_FLUSHALL", INSECURE),
    ("dict://127.0.0.1:11211/stats", INSECURE),
    ("ftp://127.0.0.1/", INSECURE),
    ("ldap://127.0.0.1/", INSECURE),
    ("unix:/var/run/docker.sock", INVALID),
    ("javascript:alert(1)", INVALID),
    ("data:text/plain,x", INVALID),
    ("https://fcm.googleapis.com/" + "a" * 2048, LONG),
]

ADDRESSES = [
    *("127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "192.0.0.192"),
    *("192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1"),
    *("::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "100::1", "100:0:0:1::1", "2001::1", "2001:2::1"),
    *("2001:db8::1", "2002:7f00:1::", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "2606:4700::5efe:7f00:1"),
]


def with_endpoint(url: str) -> dict[str, Any]:
    return {**push_subscription(), "endpoint": url}


async def imported(api: httpx2.AsyncClient, *urls: str) -> list[str]:
    rows = "\n".join(json.dumps(with_endpoint(url)) for url in urls)
    answer = await api.post("/api/v1/subscriptions/import", content=rows.encode())
    assert (answer.status_code, answer.json()["added"]) == (200, 0), answer.text
    return [fault["message"].partition(":")[0] for fault in answer.json()["errors"]]


async def test_every_attempt_is_refused_with_its_code_at_every_door(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    assert len({url for url, _ in URLS}) == len(URLS) >= 60
    mine = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    known = {"id": mine.json()["id"], "secret": mine.json()["secret"]}
    for url, code in URLS:
        for more in ({}, known):  # a new device, and one that says its address is another now
            body = {"subscription": with_endpoint(url), **more}
            found = problem(await browser.post("/push/subscribe", json=body), 422, code)
            assert "meta-data" not in found["detail"], "a refusal repeats nothing of the path"
        with pytest.raises(ForbiddenUrl):
            await Fetcher(guard=AddressGuard(), policy=default_policy()).fetch(Fetch(url))
    assert await imported(api, *(url for url, _ in URLS)) == [code for _, code in URLS]
    assert [row["id"] for row in (await api.get("/api/v1/subscriptions")).json()["data"]] == [known["id"]]


NOWHERE = {INVALID, INSECURE, USER, IP, LONG}
"""What is refused wherever it is written; ports and names of others are for administrators to choose."""

OF_THIS_NETWORK = (
    *("https://localhost/", "https://LOCALHOST:8443/", "https://a.localhost/", "https://intranet/"),
    *("https://metadata.google.internal/", "https://kubernetes.default.svc.cluster.local/"),
)


PLACES = ("webhooks", "integrations", "sign-in/oidc")


def moved(url: str, secret: str) -> dict[str, Any]:
    return {"credentials": {"url": url, "secret": secret}, "force": True}


@pytest.fixture
async def gateway(api: httpx2.AsyncClient) -> str:
    """A server that is a channel: whose devices are addresses below its origin."""
    credentials = {"url": "https://gateway.example.com/hook", "secret": f"whsec_{base64url(bytes(32))}="}
    body = {"provider": "webhook", "label": "Kiosks", "credentials": credentials}
    made = await api.post("/api/v1/integrations", json=body)
    assert made.status_code == 201, made.text
    return "https://gateway.example.com"


async def test_what_an_administrator_names_leads_nowhere_inside_either(api: httpx2.AsyncClient, gateway: str) -> None:
    """Webhooks, the gateway that is a channel and its devices, and the provider that people sign in with; new or led
    elsewhere."""
    urls = [*(url for url, code in URLS if code in NOWHERE and url == url.strip()), *OF_THIS_NETWORK]
    assert len(urls) >= 60
    taken = []
    secret = f"whsec_{base64url(bytes(32))}="
    hook = (await api.post("/api/v1/webhooks", json={"url": f"{gateway}/x", "events": ["delivery.failed"]})).json()
    listed = (await api.get("/api/v1/integrations")).json()["data"]
    (channel,) = [one["id"] for one in listed if one["provider"] == "webhook"]
    signing = {"name": "x", "issuer": "https://sso.example.com", "client_id": "x", "client_secret": "x"}
    assert (await api.put("/api/v1/sign-in/oidc/there", json=signing)).status_code == 200
    before = [(await api.get(f"/api/v1/{path}")).json() for path in PLACES]
    for url in urls:
        provider = {"name": "x", "issuer": url, "client_id": "x", "client_secret": "x"}
        other = {"provider": "webhook", "label": "x", "credentials": {"url": url, "secret": secret}}
        tested = await api.post("/api/v1/integrations/test", json=other)
        for door, answer in (
            ("webhook", await api.post("/api/v1/webhooks", json={"url": url, "events": ["delivery.failed"]})),
            ("gateway", await api.post("/api/v1/integrations", json=other)),
            ("device", await api.post("/api/v1/subscriptions", json={"provider": "webhook", "token": url})),
            ("issuer", await api.put("/api/v1/sign-in/oidc/x", json=provider)),
            ("webhook led elsewhere", await api.patch(f"/api/v1/webhooks/{hook['id']}", json={"url": url})),
            (
                "gateway led elsewhere",
                await api.patch(f"/api/v1/integrations/{channel}", json=moved(url, secret)),
            ),
            ("issuer led elsewhere", await api.put("/api/v1/sign-in/oidc/there", json=provider)),
        ):
            if answer.status_code not in (422, 409):
                taken.append((door, url, answer.status_code, answer.text[:200]))
        if tested.status_code != 422:
            taken.append(("test", url, tested.status_code, tested.text[:200]))
    assert taken == []
    assert [(await api.get(f"/api/v1/{path}")).json() for path in PLACES] == before
    assert (await api.get("/api/v1/subscriptions")).json()["data"] == []


class OneDocument(Fetcher):
    """Answers every call with one document; which addresses may be called is asked as ever."""

    document: dict[str, str]

    async def fetch(self, what: Fetch) -> Reply:
        return Reply(200, {}, json.dumps(self.document).encode(), 0.1)


@pytest.mark.parametrize("place", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_cannot_send_us_into_our_network(place: str) -> None:
    issuer = "https://sso.example.com"
    honest = {"authorization_endpoint": "a", "token_endpoint": "t", "jwks_uri": "k"}
    fetcher = OneDocument(guard=AddressGuard(), policy=WHERE_A_URL_LEADS)
    providers = Providers(fetcher=fetcher, clock=SystemClock())
    fetcher.document = {"issuer": issuer, **{name: f"{issuer}/{path}" for name, path in honest.items()}}
    assert (await providers.discover(issuer, anew=True)).jwks_uri == f"{issuer}/k"
    there = dict(fetcher.document)
    for url in [*(url for url, code in URLS if code in NOWHERE), *OF_THIS_NETWORK]:
        fetcher.document = {**there, place: url}
        with pytest.raises(CatalogueError, match="may not be called"):
            await providers.discover(issuer, anew=True)


async def test_a_device_of_a_gateway_is_below_its_origin_and_no_stranger_makes_one(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, gateway: str
) -> None:
    for url in (
        "https://gateway.example.com.evil.example/x",
        "https://gateway.example.com@evil.example/x",
        "https://gateway.example.com:8443/x",
        "https://evil.example/https://gateway.example.com/",
        "https://evil.example/#https://gateway.example.com/",
    ):
        answer = await api.post("/api/v1/subscriptions", json={"provider": "webhook", "token": url})
        assert answer.status_code in (409, 422), (url, answer.text)
    inside = {"provider": "webhook", "token": f"{gateway}/admin/delete-everything"}
    found = problem(await browser.post("/push/devices", json=inside), 422, "invalid_request")
    assert [fault["field"] for fault in found["errors"]] == ["provider"]
    assert (await api.get("/api/v1/subscriptions")).json()["data"] == []
    mine = await api.post("/api/v1/subscriptions", json={"provider": "webhook", "token": f"{gateway}/kiosk/1"})
    assert mine.status_code == 201, mine.text


class TestWhereAnyPublicHostMaySubscribe:
    """`TIDINGS_EXTRA_PUSH_HOSTS=*`: the names are free, the addresses they lead to are not."""

    @pytest.fixture(autouse=True)
    def _any(self, container: Container) -> None:
        policy = default_policy(extra_hosts=["*"])
        container.subscriptions._policy = policy

    @pytest.mark.parametrize("address", ADDRESSES)
    async def test_a_name_that_leads_where_nobody_may_call_is_refused(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, names: Names, vapid_key: str, address: str
    ) -> None:
        url = "https://rebind.evil.example/up"
        for addresses in ([address], ["142.250.180.10", address]):
            names.addresses["rebind.evil.example"] = addresses
            answer = await browser.post("/push/subscribe", json={"subscription": with_endpoint(url)})
            problem(answer, 422, PRIVATE)
            assert await imported(api, url) == [PRIVATE]

    async def test_names_of_this_network_and_other_ports_stay_refused(
        self, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        for url, code in (
            ("https://localhost/", FORBIDDEN),
            ("https://intranet/", FORBIDDEN),
            ("https://metadata.google.internal/", FORBIDDEN),
            ("https://push.example.org:8443/", PORT),
            ("https://127.0.0.1/", IP),
        ):
            answer = await browser.post("/push/subscribe", json={"subscription": with_endpoint(url)})
            problem(answer, 422, code)

    async def test_another_public_name_is_taken(self, browser: httpx2.AsyncClient, vapid_key: str) -> None:
        subscription = with_endpoint("https://push.example.org/up")
        assert (await browser.post("/push/subscribe", json={"subscription": subscription})).status_code == 201


Rebind = Callable[[str, int, list[str]], None]


@pytest.fixture(params=["by our own HTTP/2", "by libcurl"])
def by_curl(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "by libcurl")


@pytest.fixture
def rebind(monkeypatch: pytest.MonkeyPatch) -> Rebind:
    """Let a name lead elsewhere from now on, for the resolver of our own client and in libcurl's cache of names."""

    def rebind(host: str, port: int, addresses: list[str]) -> None:
        real, made = socket.getaddrinfo, CurlClient._new_call

        def answer(name: str, *more: Any, **options: Any) -> Any:
            if name != host:
                return real(name, *more, **options)
            kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [
                (socket.AF_INET6, *kind, (address, port, 0, 0)) if ":" in address
                else (socket.AF_INET, *kind, (address, port))
                for address in addresses
            ]  # fmt: skip

        def new_call(client: CurlClient) -> Any:
            call = made(client)
            shown = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
            call.easy.setopt(pycurl.RESOLVE, [f"{host}:{port}:{shown}"])
            return call

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        monkeypatch.setattr(CurlClient, "_new_call", new_call)

    return rebind


def called(url: str, *, by_curl: bool, guard: AddressGuard | None = None) -> FailureKind:
    base, _, path = url.removeprefix("https://").partition("/")
    with Client(guard=guard or AddressGuard(), by_curl=by_curl, connect_timeout=2, total_timeout=4) as client:
        return failure_of(one(client, request(base=f"https://{base}", path=f"/{path}")))


async def test_a_name_that_was_public_at_the_door_and_is_not_at_delivery_is_not_called(
    browser: httpx2.AsyncClient, names: Names, vapid_key: str, rebind: Rebind, by_curl: bool
) -> None:
    names.addresses[HOST] = ["142.250.180.10"]
    subscription = push_subscription()
    answer = await browser.post("/push/subscribe", json={"subscription": subscription})
    assert answer.status_code == 201, "the first answer of the name was public"
    for address in ADDRESSES:
        if ":" in address and "." in address:
            continue  # libcurl's cache takes only hexadecimal
        rebind(HOST, 443, [address])
        found = await asyncio.to_thread(called, subscription["endpoint"], by_curl=by_curl)
        assert found is FailureKind.FORBIDDEN_ADDRESS, address


@pytest.fixture
def listening() -> Iterator[Callable[[], Server]]:
    servers: list[Server] = []

    def start() -> Server:
        servers.append(Server(tls=None))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_name_that_leads_to_a_server_of_this_machine_opens_no_connection_to_it(
    listening: Callable[[], Server], rebind: Rebind, by_curl: bool
) -> None:
    server = listening()
    url = f"https://push.evil.example:{server.port}/x"
    for addresses in (["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]):
        rebind("push.evil.example", server.port, addresses)
        assert called(url, by_curl=by_curl) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0
    rebind("push.evil.example", server.port, ["127.0.0.1"])
    assert called(url, by_curl=by_curl, guard=AddressGuard(allow_loopback=True)) is not FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted > 0, "the same call reaches it where the guard lets it"
