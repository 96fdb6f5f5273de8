"""Secrets at rest: where the key ring comes from, what rotation keeps, and that a moved value does not open."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib import sealed
from tidings.lib.sealed import KeyRing, KeyRingError, SealBroken, Sealer, find_key_ring, open_sealer

RING = KeyRing.generate()
SEALER, STORED = open_sealer(RING, {})


def ring_file(path: Path, ring: KeyRing, mode: int = 0o600) -> Path:
    path.write_text(ring.text())
    path.chmod(mode)
    return path


@given(st.binary(max_size=400), st.text(max_size=80))
def test_what_was_sealed_for_a_place_opens_there_and_nowhere_else(plaintext: bytes, place: str) -> None:
    box = SEALER.seal(plaintext, context=place)
    assert SEALER.open(box, context=place) == plaintext
    assert len(box) == len(plaintext) + 33
    with pytest.raises(SealBroken):
        SEALER.open(box, context=place + "x")


def test_every_changed_bit_and_every_missing_byte_is_noticed() -> None:
    box = SEALER.seal(b"secret", context="here")
    changed = [bytes([*box[:at], box[at] ^ 1 << bit, *box[at + 1 :]]) for at in range(len(box)) for bit in range(8)]
    for wrong in [*changed, *(box[:end] for end in range(len(box))), box + b"\0"]:
        with pytest.raises(SealBroken):
            SEALER.open(wrong, context="here")


def test_many_are_opened_at_once_and_one_that_was_changed_spoils_no_other() -> None:
    sealer, _ = open_sealer(KeyRing.generate(), {})
    places = [f"place|{n}" for n in range(5)]
    values = [sealer.seal(place.encode(), context=place) for place in places]
    contexts = [place.encode() for place in places]
    assert sealer.open_many(values, contexts=contexts) == contexts
    for spoilt in (values[2][:-1] + b"x", values[2][:10], b"", values[3]):
        found = sealer.open_many([*values[:2], spoilt, *values[3:]], contexts=contexts)
        assert found == [*contexts[:2], None, *contexts[3:]]
    assert sealer.open_many([], contexts=[]) == []


def test_many_are_opened_whichever_data_key_sealed_them() -> None:
    older, newer = Sealer({1: b"1" * 32}), Sealer({1: b"1" * 32, 2: b"2" * 32})
    values = [older.seal(b"old", context="a"), newer.seal(b"new", context="a")]
    assert newer.open_many(values, contexts=[b"a", b"a"]) == [b"old", b"new"]
    assert older.open_many(values, contexts=[b"a", b"a"]) == [b"old", None]


def test_the_same_secret_sealed_twice_looks_different() -> None:
    assert SEALER.seal(b"secret", context="here") != SEALER.seal(b"secret", context="here")


def test_a_second_start_opens_what_the_first_sealed_and_stores_nothing() -> None:
    again, changed = open_sealer(RING, STORED)
    assert changed == {}
    assert again.open(SEALER.seal(b"x", context="c"), context="c") == b"x"
    assert again.blind_index(b"x", context="c") == SEALER.blind_index(b"x", context="c")
    assert again.derive("ids") == SEALER.derive("ids")


def test_a_new_first_key_wraps_the_data_key_anew_and_changes_nothing_else() -> None:
    new = KeyRing.generate()
    both = KeyRing(new.keys + RING.keys)
    rotated, changed = open_sealer(both, STORED)
    assert set(changed) == {"data_key:1"}
    after, nothing = open_sealer(new, changed)
    assert nothing == {}
    for sealer in (rotated, after):
        assert sealer.open(SEALER.seal(b"x", context="c"), context="c") == b"x"
        assert sealer.blind_index(b"x", context="c") == SEALER.blind_index(b"x", context="c")
        assert sealer.derive("ids") == SEALER.derive("ids")


def test_a_ring_without_the_right_key_says_which_one_is_missing() -> None:
    with pytest.raises(KeyRingError, match=f"`{RING.keys[0][0]}`, which the key ring lacks"):
        open_sealer(KeyRing.generate(), STORED)


def test_a_key_of_the_same_name_that_is_another_is_noticed() -> None:
    impostor = KeyRing(((RING.keys[0][0], b"?" * 32),))
    with pytest.raises(KeyRingError, match="does not open"):
        open_sealer(impostor, STORED)


def test_a_data_key_moved_to_another_number_is_noticed() -> None:
    with pytest.raises(KeyRingError, match="does not open"):
        open_sealer(RING, {"data_key:2": STORED["data_key:1"]})


@pytest.mark.parametrize(
    "wrapped", [b"", b"\x01", b"\x02abc", b"\x01\xff", pytest.param(STORED["data_key:1"][:-1], id="cut")]
)
def test_a_damaged_data_key_is_refused(wrapped: bytes) -> None:
    with pytest.raises(KeyRingError):
        open_sealer(RING, {"data_key:1": wrapped})


def test_the_newest_data_key_seals_and_the_oldest_derives() -> None:
    one, two = sealed.Sealer({1: b"1" * 32}), sealed.Sealer({2: b"2" * 32, 1: b"1" * 32})
    assert two.open(one.seal(b"x", context="c"), context="c") == b"x"
    assert two.derive("p") == one.derive("p")
    assert two.blind_index(b"x", context="c") == one.blind_index(b"x", context="c")
    with pytest.raises(SealBroken):
        one.open(two.seal(b"x", context="c"), context="c")


def test_blind_indexes_and_derived_keys_differ_by_context_and_purpose() -> None:
    assert SEALER.blind_index(b"bc", context="a") != SEALER.blind_index(b"c", context="ab")
    assert len(SEALER.blind_index(b"", context="")) == 32
    assert SEALER.derive("a") != SEALER.derive("b")


def test_a_ring_is_read_back_from_its_text() -> None:
    ring = KeyRing(KeyRing.generate().keys + KeyRing.generate().keys)
    assert KeyRing.parse(ring.text()) == ring
    assert KeyRing.parse("\ufeff# kept in the safe\n\n" + ring.text().replace("\n", " # old\r\n")) == ring
    assert KeyRing.parse(ring.text().strip().replace("\n", ",")) == ring
    assert ring.text().split(":")[1].split("\n")[0] not in repr(ring)


@pytest.mark.parametrize(
    "text", ["", "# nothing", "abc", "a:short", f"a b:{'A' * 43}", f":{'A' * 43}", f"a:{'A' * 43}\na:{'A' * 43}", "a:é"]
)
def test_a_ring_that_cannot_be_read_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyRingError) as refusal:
        KeyRing.parse(text)
    assert "AAA" not in str(refusal.value)


def test_the_first_start_makes_a_key_file_of_our_own_and_the_second_reads_it(tmp_path: Path) -> None:
    default = tmp_path / "data" / "tidings.key"
    ring, created = find_key_ring(file=None, default=default, environ={})
    assert created == default
    assert default.stat().st_mode & 0o777 == 0o600
    assert find_key_ring(file=None, default=default, environ={}) == (ring, None)
    assert [path.name for path in default.parent.iterdir()] == ["tidings.key"]


def test_two_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    default, found, barrier = tmp_path / "tidings.key", [], threading.Barrier(8)

    def start(n: int) -> None:
        barrier.wait(timeout=20)
        found.append(find_key_ring(file=None, default=default, environ={}, random_bytes=lambda size: bytes([n]) * size))

    threads = [threading.Thread(target=start, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len({ring.keys for ring, _ in found}) == 1
    assert [created for _, created in found].count(default) == 1


def test_the_sources_are_taken_in_their_order(tmp_path: Path) -> None:
    rings = {name: KeyRing.generate() for name in ("credential", "variable", "file", "default")}
    folder = tmp_path / "credentials"
    folder.mkdir()
    ring_file(folder / "tidings-key", rings["credential"], 0o440)
    file, default = ring_file(tmp_path / "f", rings["file"]), ring_file(tmp_path / "d", rings["default"])
    credentials, variable = {"CREDENTIALS_DIRECTORY": str(folder)}, {"TIDINGS_KEY": rings["variable"].text()}
    assert find_key_ring(file=file, default=default, environ=credentials | variable) == (rings["credential"], None)
    assert find_key_ring(file=file, default=default, environ=variable) == (rings["variable"], None)
    assert find_key_ring(file=file, default=default, environ={}) == (rings["file"], None)
    assert find_key_ring(file=None, default=default, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}) == (
        rings["default"],
        None,
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o666])
@pytest.mark.parametrize("named", [True, False])
def test_a_key_file_that_others_can_use_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int, named: bool
) -> None:
    path = ring_file(tmp_path / "k", RING, mode)
    with pytest.raises(KeyRingError, match=f"chmod 600 {path}"):
        find_key_ring(file=path if named else None, default=path, environ={})


def test_a_named_key_file_that_is_missing_is_never_replaced_by_a_new_key(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="cannot be read"):
        find_key_ring(file=tmp_path / "absent", default=tmp_path / "d", environ={})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_take_the_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyRingError, match="cannot be created"):
        find_key_ring(file=None, default=tmp_path / "file" / "tidings.key", environ={})


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(KeyRingError, match="not text"):
        find_key_ring(file=path, default=path, environ={})


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tidings.key"
    file.write_text("hello")
    file.chmod(0o600)
    with pytest.raises(KeyRingError, match=re.escape(f"In {file}: ")):
        find_key_ring(file=None, default=file, environ={})
    with pytest.raises(KeyRingError, match="In TIDINGS_KEY: "):
        find_key_ring(file=None, default=file, environ={"TIDINGS_KEY": "hello"})
