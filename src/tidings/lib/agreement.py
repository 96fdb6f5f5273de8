"""ECDH with a new P-256 key pair, on OpenSSL's own curve functions where they are found: half of what a message costs.

`cryptography` asks OpenSSL's providers for a key object for each half of the exchange, and that costs as much again as
the arithmetic. Here the same library does the same arithmetic on points (EC_POINT_mul, constant in time), with nothing
kept: the private key is a number that the next message overwrites and that is never seen by Python.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import c_int, c_size_t, c_void_p
from functools import cache

from tidings.lib.crypto import (
    POINT_SIZE,
    Malformed,
    generate_key,
    point_from,
    public_key_from_point,
    shared_secret,
)

Agree = Callable[[bytes], tuple[bytes, bytes]]
"""A peer's point in; our new public point (65 bytes) and the shared X coordinate (32 bytes) out."""

LIBRARIES = ("libcrypto.so.3", "libcrypto.3.dylib")
"""OpenSSL 3, whose functions on points are not deprecated; Python's own `ssl` mostly has it loaded already."""

_P256 = 415  # NID_X9_62_prime256v1
_UNCOMPRESSED = 4

_RESULTS: dict[str, type | None] = {
    "EC_GROUP_new_by_curve_name": c_void_p,
    "EC_GROUP_get0_order": c_void_p,
    "EC_POINT_new": c_void_p,
    "EC_POINT_mul": c_int,
    "EC_POINT_oct2point": c_int,
    "EC_POINT_point2oct": c_size_t,
    "BN_secure_new": c_void_p,
    "BN_CTX_secure_new": c_void_p,
    "BN_priv_rand_range": c_int,
    "ERR_clear_error": None,
}


def agreed_by_objects(peer: bytes) -> tuple[bytes, bytes]:
    """Agree with `cryptography`'s key objects; Malformed for what is no point of the curve (RFC 8291 §7)."""
    theirs = public_key_from_point(peer)
    key = generate_key()
    return point_from(key), shared_secret(key, theirs)


class _Points(threading.local):
    """Agrees on points of libcrypto; each thread has its own numbers, because they hold what is secret."""

    def __init__(self, library: ctypes.CDLL) -> None:
        functions = {}
        for name, result in _RESULTS.items():
            functions[name] = function = library[name]  # a new object each, so that nobody else's types change
            function.restype = result
        self._multiply = functions["EC_POINT_mul"]
        self._read = functions["EC_POINT_oct2point"]
        self._write = functions["EC_POINT_point2oct"]
        self._random = functions["BN_priv_rand_range"]
        self._forget_errors = functions["ERR_clear_error"]
        # Arguments are made once, of the types that the functions take: converting them for each call costs a tenth.
        group = c_void_p(functions["EC_GROUP_new_by_curve_name"](c_int(_P256)))
        made = [group, c_void_p(functions["EC_GROUP_get0_order"](group))]
        made += [c_void_p(functions["EC_POINT_new"](group)) for _ in range(2)]
        made += [c_void_p(functions[name]()) for name in ("BN_secure_new", "BN_CTX_secure_new")]
        if not all(made):
            raise OSError("libcrypto has no P-256, or no memory")
        self._group, self._order, self._own, self._shared, self._private, self._scratch = made
        self._out = ctypes.create_string_buffer(POINT_SIZE)
        self._to = c_void_p(ctypes.addressof(self._out))
        self._size, self._form = c_size_t(POINT_SIZE), c_int(_UNCOMPRESSED)

    def agreed(self, peer: bytes) -> tuple[bytes, bytes]:
        """Agree as `agreed_by_objects` does. Reading a point checks that it lies on the curve."""
        group, scratch, private, own, shared = self._group, self._scratch, self._private, self._own, self._shared
        if type(peer) is not bytes or len(peer) != POINT_SIZE or peer[0] != _UNCOMPRESSED:
            raise Malformed(f"A P-256 public key has {POINT_SIZE} bytes and begins with 4; this one has {len(peer)}.")
        if self._read(group, shared, peer, self._size, scratch) != 1:
            self._forget_errors()
            raise Malformed("It is not a point on the curve P-256.")
        done = (
            self._random(private, self._order) == 1
            and self._multiply(group, own, private, None, None, scratch) == 1
            and self._multiply(group, shared, None, shared, private, scratch) == 1
        )
        if not done:
            raise OSError("libcrypto could not make a key pair")
        return self._bytes(own), self._bytes(shared)[1:33]

    def _bytes(self, point: c_void_p) -> bytes:
        # The point at infinity, which a private key of 0 would give, has one byte only.
        if self._write(self._group, point, self._form, self._to, self._size, self._scratch) != POINT_SIZE:
            raise OSError("libcrypto gave a point that is none")
        return self._out.raw


@cache
def agreement() -> Agree:
    """Give the fastest way to agree that works here, tried out against `cryptography` first."""
    for name in LIBRARIES:
        try:
            agreed = _Points(ctypes.PyDLL(name)).agreed
            key = generate_key()
            own, secret = agreed(point_from(key))
            if shared_secret(key, public_key_from_point(own)) == secret:
                return agreed
        except (OSError, AttributeError, Malformed):
            continue
    return agreed_by_objects
