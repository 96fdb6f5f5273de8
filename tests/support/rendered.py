"""Any message that the API takes, for properties over the model."""

from __future__ import annotations

from hypothesis import strategies as st

from tidings.domain.message import Action, Rendered, Urgency
from tidings.domain.platforms import Android, Apns, Interruption, Platforms, Visibility, Wake, Web

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
links = st.sampled_from(
    ["https://www.example.com/a?b=c#d", "https://xn--bcher-kva.example/", "http://localhost:3000/x"]
)
pictures = st.sampled_from(["https://www.example.com/a.png", "https://cdn.example/ü.png"])
counts = st.integers(0, 99_999)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
names = texts.map(lambda text: f"x{text}")

androids = st.builds(
    Android,
    title=st.none() | texts,
    body=st.none() | texts,
    image=st.none() | pictures,
    icon=st.none() | texts,
    color=st.none() | st.just("#2266cc"),
    sound=st.none() | st.just("default"),
    channel_id=st.none() | texts,
    click_action=st.none() | texts,
    ticker=st.none() | texts,
    tag=st.none() | texts,
    badge=st.none() | counts,
    sticky=st.booleans(),
    local_only=st.booleans(),
    visibility=st.none() | st.sampled_from(Visibility),
    priority=st.none() | st.sampled_from(Wake),
    restricted_package_name=st.none() | st.just("com.example.app"),
    direct_boot_ok=st.booleans(),
    data_only=st.booleans(),
)
apples = st.builds(
    Apns,
    title=st.none() | texts,
    subtitle=st.none() | texts,
    body=st.none() | texts,
    badge=st.none() | counts,
    sound=st.none() | st.just("default"),
    volume=st.none() | st.floats(0, 1),
    thread_id=st.none() | texts,
    category=st.none() | texts,
    target_content_id=st.none() | texts,
    interruption_level=st.none() | st.sampled_from(Interruption),
    relevance_score=st.none() | st.floats(0, 1),
    mutable_content=st.booleans(),
    background=st.just(False),
    payload=st.dictionaries(names, values, max_size=2),
)
browsers = st.builds(
    Web,
    title=st.none() | texts,
    body=st.none() | texts,
    url=st.none() | links,
    icon=st.none() | pictures,
    image=st.none() | pictures,
)
actions = st.builds(Action, id=texts, title=texts, url=st.none() | links)

messages = st.builds(
    Rendered,
    title=texts,
    body=st.text(st.characters(exclude_categories=["Cs"]), max_size=120),
    url=st.none() | links,
    icon=st.none() | pictures,
    image=st.none() | pictures,
    badge_count=st.none() | counts,
    actions=st.lists(actions, max_size=4).map(tuple),
    urgency=st.sampled_from(Urgency),
    collapse_id=st.none() | texts,
    language=st.none() | st.sampled_from(["de", "pt-BR"]),
    data=st.dictionaries(names, values, max_size=4),
    platforms=st.builds(
        Platforms,
        android=st.none() | androids,
        apns=st.none() | apples,
        webpush=st.none() | browsers,
    ),
)
