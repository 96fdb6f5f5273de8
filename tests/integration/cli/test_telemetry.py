"""A server that tells an OpenTelemetry collector: traces from the request to what is stored, and its metrics."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.campaign import app_with_subscribers, finished
from support.collector import attributes, collecting
from tidings import wiring
from tidings.bench.processes import children_of
from tidings.cli.client import delivering
from tidings.cli.output import Output
from tidings.cli.serving import observed
from tidings.lib import telemetry, tracing
from tidings.lib.metrics import Metrics
from tidings.pipeline import flow, plan
from tidings.settings import Settings
from tidings.simulator.run import Running, SimulatorConfig, serve
from tidings.web.app import create_app
from tidings.wiring import Container

TIDINGS = [sys.executable, "-c", "from tidings.cli.main import run; run()"]
CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SAID = {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "tidings.notification",
    "tidings.accepted",
    "tidings.attempt",
    "tidings.audience",
    "tidings.chunk",
    "tidings.recipients",
    "tidings.replayed",
    "tidings.shard",
    "tidings.shards",
}
"""All attributes that there are; whoever adds one asks whether it says something of somebody."""


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    async with serve(SimulatorConfig(folder=tmp_path / "simulator", reading=0.0)) as running:
        yield running


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    settings = Settings(data=tmp_path / "data", senders=1, allow_insecure_endpoints=True)
    async with wiring.opened(settings) as opened:
        yield opened


@asynccontextmanager
async def calling(container: Container) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client of the API, as its operator."""
    transport = httpx2.ASGITransport(create_app(container, operator_token="operator"))
    headers = {"authorization": "Bearer operator", "user-agent": "Harbour/5.0"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


def output(stderr: io.StringIO | None = None) -> Output:
    return Output(as_json=False, stdout=io.StringIO(), stderr=stderr or io.StringIO())


def counted(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the counters of /metrics."""
    return {
        (family.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.type == "counter"
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def test_a_collector_is_told_from_the_request_to_what_is_stored_and_nothing_of_anybody(
    container: Container, simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SHARD_SIZE", 250)
    monkeypatch.setattr(flow, "SHARD_SIZE", 250)
    app = await app_with_subscribers(container, simulator, 600)
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=push")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        async with (
            observed(container, output(), refresh=container.vitals.refresh),
            delivering(container),
            calling(container) as api,
        ):
            answer = await api.post(
                f"/api/v1/notifications?app={app.public_id}",
                json={"title": "Sehr geheim", "body": "Springflut", "to": {"all": True}},
                headers={"traceparent": f"00-{CALLER}-{PARENT}-01"},
            )
            assert answer.status_code == 202, answer.text
            sent = answer.json()["id"]
            found = await container.notifications.get(app.id, sent)
            done = await finished(container, found)
            for path in ("/users/anna@example.com", "/nowhere/anna@example.com?anna=1"):
                assert (await api.get(f"/api/v1{path}")).status_code >= 400
            shown = (await api.get("/metrics")).text
    assert done.counts.sent == 600

    spans = collector.spans()
    (ours,) = [span for span in spans if span.trace_id.hex() == CALLER and span.name.startswith("POST")]
    (accept,) = [span for span in spans if span.name == "accept" and span.trace_id.hex() == CALLER]
    assert (ours.name, ours.parent_span_id.hex()) == ("POST /api/v1/notifications", PARENT)
    assert attributes(ours.attributes)["http.response.status_code"] == 202
    assert accept.parent_span_id == ours.span_id
    (to_campaign,) = accept.links
    campaign = [span for span in spans if span.trace_id == to_campaign.trace_id]
    (root,) = [span for span in campaign if span.span_id == to_campaign.span_id]
    assert root.links[0].span_id == accept.span_id
    assert {attributes(span.attributes)["tidings.notification"] for span in (accept, *campaign)} == {sent}

    steps = Counter(span.name for span in campaign)
    assert set(steps) == {"notification", "plan", "claim", "chunk", "send", "settle"}
    assert steps["chunk"] == steps["send"] == steps["settle"]
    chunks = {span.span_id for span in campaign if span.name == "chunk"}
    for span in campaign:
        below = chunks if span.name in {"send", "settle"} else {root.span_id}
        assert span is root or span.parent_span_id in below, span.name
    accepted = sum(attributes(span.attributes).get("tidings.accepted", 0) for span in campaign)
    assert accepted == 600

    assert {key for span in spans for key in attributes(span.attributes)} <= SAID
    resource = attributes(collector.traces()[0].resource_spans[0].resource.attributes)
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("tidings", "test")
    assert resource["service.instance.id"]
    assert all(one["x-team"] == "push" for one in collector.headers)
    raw = b"".join(body for bodies in collector.bodies.values() for body in bodies)
    secrets = [
        "anna@example",
        "Harbour/5.0",
        "geheim",
        "Springflut",
        "operator",
        "127.0.0.1",
        "localhost",
        str(simulator.listener.port),
    ]
    assert [secret for secret in secrets if secret.encode() in raw] == []

    told = collector.metrics()
    outcomes = {
        ("tidings_outcomes", tuple(sorted(attributes(point.attributes).items()))): point.as_double
        for point in told["tidings_outcomes"].sum.data_points
    }
    assert outcomes.items() <= counted(shown).items()
    assert sum(outcomes.values()) > 0
    families = {family.name for family in text_string_to_metric_families(shown) if family.samples}
    families = {name for name in families if not name.endswith("_created")}
    assert set(told) == families
    assert (told["tidings_settle_seconds"].unit, told["tidings_outcomes"].sum.is_monotonic) == ("s", True)
    (settles,) = told["tidings_settle_seconds"].histogram.data_points
    assert settles.count == sum(settles.bucket_counts) >= steps["settle"]
    assert len(settles.bucket_counts) == len(settles.explicit_bounds) + 1
    assert told["tidings_database_up"].gauge.data_points[0].as_double == 1


@pytest.mark.parametrize(
    ("variables", "why", "mend"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, "is not installed", "pip install 'tidings[otel]'"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "asks for grpc",
            "http/protobuf",
        ),
    ],
    ids=["without the extra", "a protocol that we do not speak"],
)
async def test_what_cannot_be_told_is_said_with_its_mend_and_stops_nothing(
    container: Container, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], why: str, mend: str
) -> None:
    monkeypatch.setitem(sys.modules, "tidings.lib.telemetry", None)  # as where the extra is missing
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = io.StringIO()
    async with observed(container, output(said)), calling(container) as api:
        assert (await api.get("/api/v1/apps")).status_code == 200
    words = " ".join(said.getvalue().split())
    assert why in words
    assert mend in words


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
    ],
    ids=["unset", "empty", "disabled"],
)
async def test_without_a_collector_nothing_is_said(
    container: Container, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.setitem(sys.modules, "tidings.lib.telemetry", None)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = io.StringIO()
    async with observed(container, output(said)):
        pass
    assert said.getvalue() == ""


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    script = """
import sys
import tidings.cli.serving, tidings.web.app, tidings.wiring, tidings.worker.run
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
print("tidings.lib.telemetry" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "False", ""]


def test_tidings_up_tells_the_last_of_it_when_it_stops_and_its_senders_are_told_nothing(tmp_path: Path) -> None:
    with collecting() as collector:
        environ = {
            **os.environ,
            "TIDINGS_SENDERS": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=of-the-collector",
        }
        command = [*TIDINGS, "up", "--data", str(tmp_path), "--port", "0", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as up:
            try:
                assert up.stdout is not None
                ready = json.loads(up.stdout.readline())
                with pytest.raises(HTTPError, match="401") as refused:
                    urlopen(f"{ready['url']}/api/v1/apps", timeout=60)
                refused.value.close()
                senders = [Path(f"/proc/{pid}/environ").read_bytes() for pid in children_of(up.pid)]
            finally:
                up.terminate()
            assert up.wait(timeout=60) == 0, up.stderr and up.stderr.read()
    assert "GET other" in {span.name for span in collector.spans()}
    assert "tidings_request_seconds" in collector.metrics()
    assert len(senders) == 1
    assert b"OTEL_" not in senders[0]


async def test_a_collector_that_never_answers_holds_up_nothing(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "STOP_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1")
        async with observed(container, output()), calling(container) as api:
            assert (await api.get("/api/v1/apps")).status_code == 200


async def test_an_error_is_told_by_its_kind_as_its_words_may_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        traces = telemetry.Telemetry(frozenset({tracing.Signal.TRACES}), version="1", instance="one")
        async with traces.running(Metrics()):
            with suppress(ValueError), tracing.span(tracing.Step.CHUNK, of="ntf_1"):
                raise ValueError("quoted: https://fcm.googleapis.com/fcm/send/secret")
    (span,) = collector.spans()
    assert attributes(span.attributes) == {"tidings.notification": "ntf_1", "error.type": "ValueError"}
    assert b"secret" not in collector.bodies["/v1/traces"][0]
    assert collector.metrics() == {}


async def test_a_sampler_keeps_all_of_a_notification_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        for worker in ("one", "other"):
            traces = telemetry.Telemetry(frozenset({tracing.Signal.TRACES}), version="1", instance=worker)
            async with traces.running(Metrics()):
                for number in range(40):
                    with tracing.span(tracing.Step.CHUNK, of=f"ntf_{number}"), tracing.span(tracing.Step.SEND):
                        pass
    kept = Counter(span.trace_id for span in collector.spans())
    assert set(kept.values()) == {4}
    assert 5 < len(kept) < 35
