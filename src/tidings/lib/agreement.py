"""ECDH with a new P-256 key pair, on OpenSSL's own curve functions where they are found: half of what a message costs.

`cryptography` asks OpenSSL's providers for a key object for each half of the exchange, and that costs as much again as
the arithmetic. Here the same library does the same arithmetic on points (EC_POINT_mul, constant in time), with nothing
kept: the private key is a number that the next message overwrites and that is never seen by Python.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_size_t, c_void_p
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

_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "EC_GROUP_new_by_curve_name": (c_void_p, (c_int,)),
    "EC_GROUP_get0_order": (c_void_p, (c_void_p,)),
    "EC_POINT_new": (c_void_p, (c_void_p,)),
    "EC_POINT_mul": (c_int, (c_void_p,) * 6),
    "EC_POINT_oct2point": (c_int, (c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)),
    "EC_POINT_point2oct": (c_size_t, (c_void_p, c_void_p, c_int, c_char_p, c_size_t, c_void_p)),
    "BN_secure_new": (c_void_p, ()),
    "BN_CTX_secure_new": (c_void_p, ()),
    "BN_priv_rand_range": (c_int, (c_void_p, c_void_p)),
    "ERR_clear_error": (None, ()),
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
        for name, (result, arguments) in _SIGNATURES.items():
            functions[name] = function = library[name]  # a new object each, so that nobody else's types change
            function.restype, function.argtypes = result, arguments
        self._multiply = functions["EC_POINT_mul"]
        self._read = functions["EC_POINT_oct2point"]
        self._write = functions["EC_POINT_point2oct"]
        self._random = functions["BN_priv_rand_range"]
        self._forget_errors = functions["ERR_clear_error"]
        self._group = group = functions["EC_GROUP_new_by_curve_name"](_P256)
        self._order = functions["EC_GROUP_get0_order"](group)
        self._own, self._shared = functions["EC_POINT_new"](group), functions["EC_POINT_new"](group)
        self._private, self._scratch = functions["BN_secure_new"](), functions["BN_CTX_secure_new"]()
        self._out = ctypes.create_string_buffer(POINT_SIZE)
        if not all((group, self._order, self._own, self._shared, self._private, self._scratch)):
            raise OSError("libcrypto has no P-256, or no memory")

    def agreed(self, peer: bytes) -> tuple[bytes, bytes]:
        """Agree as `agreed_by_objects` does. Reading a point checks that it lies on the curve."""
        group, scratch, private = self._group, self._scratch, self._private
        if len(peer) != POINT_SIZE or peer[0] != _UNCOMPRESSED:
            raise Malformed(f"A P-256 public key has {POINT_SIZE} bytes and begins with 4; this one has {len(peer)}.")
        if self._read(group, self._shared, peer, POINT_SIZE, scratch) != 1:
            self._forget_errors()
            raise Malformed("It is not a point on the curve P-256.")
        done = (
            self._random(private, self._order) == 1
            and self._multiply(group, self._own, private, None, None, scratch) == 1
            and self._multiply(group, self._shared, None, self._shared, private, scratch) == 1
        )
        if not done:
            raise OSError("libcrypto could not make a key pair")
        return self._bytes(self._own), self._bytes(self._shared)[1:33]

    def _bytes(self, point: int) -> bytes:
        # The point at infinity, which a private key of 0 would give, has one byte only.
        if self._write(self._group, point, _UNCOMPRESSED, self._out, POINT_SIZE, self._scratch) != POINT_SIZE:
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
