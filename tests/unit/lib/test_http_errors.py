"""The table of libcurl's errors against the libcurl that we run with: by name, and by every number it has words for."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

import pycurl
import pytest

from tidings.lib.curl_errors import CODES, KINDS
from tidings.lib.exchange import FailureKind

# Codes of the multi interface are exceptions, not results of a transfer; their numbers overlap with those that are.
RESULTS = {
    name.removeprefix("E_"): getattr(pycurl, name)
    for name in dir(pycurl)
    if name.startswith("E_") and not name.startswith("E_MULTI_") and name not in {"E_OK", "E_CALL_MULTI_PERFORM"}
}
NAMED = {name: code for codes in CODES.values() for name, code in codes.items()}


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_every_error_that_libcurl_can_give_is_mapped(name: str) -> None:
    assert KINDS.get(RESULTS[name]) is not None


@pytest.mark.parametrize("name", sorted(NAMED.keys() & RESULTS.keys()))
def test_every_name_of_the_table_has_the_number_that_libcurl_gives_it(name: str) -> None:
    assert NAMED[name] == RESULTS[name]


def test_nearly_all_of_the_table_is_checked_by_name() -> None:
    assert NAMED.keys() - RESULTS.keys() == {
        # pycurl has no names for the newest
        "AUTH_ERROR",
        "ECH_REQUIRED",
        "HTTP2_STREAM",
        "HTTP3",
        "PROXY",
        "QUIC_CONNECT_ERROR",
        "RECURSIVE_API_CALL",
        "SSL_CLIENTCERT",
        "TOO_LARGE",
        "UNRECOVERABLE_POLL",
    }


def strerror() -> Callable[[int], str]:
    """`curl_easy_strerror` of the very library that pycurl has loaded."""
    assert pycurl.version
    maps = Path("/proc/self/maps")
    loaded = re.search(r"/\S*/libcurl[^/\s]*\.so\S*", maps.read_text()) if maps.exists() else None
    if loaded is None:
        pytest.skip("pycurl has libcurl built in, or this system does not say what is loaded")
    words = ctypes.CDLL(loaded[0]).curl_easy_strerror
    words.restype, words.argtypes = ctypes.c_char_p, [ctypes.c_int]
    return lambda code: str(words(code).decode())


def test_every_number_that_the_loaded_libcurl_has_words_for_is_mapped() -> None:
    words = strerror()
    unknown = words(99_998)
    known = {code: words(code) for code in range(1, 2_000) if words(code) != unknown}
    assert len(known) > 80, "the words were found"
    assert {code: text for code, text in known.items() if code not in KINDS} == {}


def test_no_code_is_in_the_table_twice() -> None:
    assert len(KINDS) == sum(len(codes) for codes in CODES.values())


def test_every_kind_but_the_guards_own_comes_from_libcurl() -> None:
    assert set(KINDS.values()) == set(FailureKind) - {FailureKind.FORBIDDEN_ADDRESS}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (pycurl.E_COULDNT_RESOLVE_HOST, FailureKind.DNS),
        (pycurl.E_COULDNT_CONNECT, FailureKind.CONNECT),
        (pycurl.E_OPERATION_TIMEDOUT, FailureKind.TIMEOUT),
        (pycurl.E_PEER_FAILED_VERIFICATION, FailureKind.TLS),
        (pycurl.E_RECV_ERROR, FailureKind.RESET),
        (pycurl.E_HTTP2, FailureKind.RESET),
        (pycurl.E_UNSUPPORTED_PROTOCOL, FailureKind.PROTOCOL),
        (pycurl.E_OUT_OF_MEMORY, FailureKind.OTHER),
    ],
)
def test_the_errors_of_every_day_have_the_kind_that_people_expect(code: int, kind: FailureKind) -> None:
    assert KINDS[code] is kind
