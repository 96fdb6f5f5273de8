"""Agrees on OpenSSL's own curve functions, one peer after the other: half of what key objects cost.

`cryptography` asks OpenSSL's providers for a key object for each half of the exchange, and that costs as much again as
the arithmetic. Here the same library does the same arithmetic on points (EC_POINT_mul, constant in time), with nothing
kept: the private key is a number that the next message overwrites and that is never seen by Python. Points come out of
it with a denominator; those of many messages are divided by theirs together, for one inversion instead of two each.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from ctypes import c_int, c_size_t, c_void_p

from tidings.lib.agreement.agreed import UNCOMPRESSED, Agree, Agreed, is_point
from tidings.lib.crypto import POINT_SIZE, SCALAR_SIZE

LIBRARIES = ("libcrypto.so.3", "libcrypto.3.dylib")
"""OpenSSL 3, which has all these functions; Python's own `ssl` mostly has it loaded already."""

_P256 = 415  # NID_X9_62_prime256v1
_TOGETHER = 64
"""Peers at a time. An inversion costs as much as 40 multiplications; shared by 128 points it is nothing."""

_RESULTS: dict[str, type | None] = {
    "EC_GROUP_new_by_curve_name": c_void_p,
    "EC_GROUP_get0_order": c_void_p,
    "EC_POINT_new": c_void_p,
    "EC_POINT_mul": c_int,
    "EC_POINT_oct2point": c_int,
    "EC_POINTs_make_affine": c_int,
    "EC_POINT_get_Jprojective_coordinates_GFp": c_int,
    "BN_new": c_void_p,
    "BN_secure_new": c_void_p,
    "BN_CTX_secure_new": c_void_p,
    "BN_priv_rand_range": c_int,
    "BN_bn2binpad": c_int,
    "ERR_clear_error": None,
}


class Points(threading.local):
    """Agrees on points of libcrypto; each thread has its own numbers, because they hold what is secret."""

    def __init__(self, library: ctypes.CDLL) -> None:
        functions = {}
        for name, result in _RESULTS.items():
            functions[name] = function = library[name]  # a new object each, so that nobody else's types change
            function.restype = result
        self._multiply = functions["EC_POINT_mul"]
        self._read = functions["EC_POINT_oct2point"]
        self._divide = functions["EC_POINTs_make_affine"]
        self._coordinates = functions["EC_POINT_get_Jprojective_coordinates_GFp"]
        self._write = functions["BN_bn2binpad"]
        self._random = functions["BN_priv_rand_range"]
        self._forget_errors = functions["ERR_clear_error"]
        # Arguments are made once, of the types that the functions take: converting them for each call costs a tenth.
        group = c_void_p(functions["EC_GROUP_new_by_curve_name"](c_int(_P256)))
        made = [group, c_void_p(functions["EC_GROUP_get0_order"](group))]
        made += [c_void_p(functions[f"BN_{name}"]()) for name in ("CTX_secure_new", "secure_new", "secure_new", "new")]
        points = [c_void_p(functions["EC_POINT_new"](group)) for _ in range(2 * _TOGETHER)]
        if not all(made) or not all(points):
            raise OSError("libcrypto has no P-256, or no memory")
        self._group, self._order, self._scratch, self._private, self._x, self._y = made
        self._pairs = list(zip(points[::2], points[1::2], strict=True))
        self._points = (c_void_p * len(points))(*[point.value for point in points])
        self._size, self._half = c_size_t(POINT_SIZE), c_int(SCALAR_SIZE)
        self._out = ctypes.create_string_buffer(2 * SCALAR_SIZE)
        start = ctypes.addressof(self._out)
        self._to_x, self._to_y = c_void_p(start), c_void_p(start + SCALAR_SIZE)

    def agreed(self, peers: Sequence[bytes]) -> list[Agreed | None]:
        """Agree as `agreed_by_objects` does."""
        results: list[Agreed | None] = []
        for first in range(0, len(peers), _TOGETHER):
            results += self._turn(peers[first : first + _TOGETHER])
        return results

    def _turn(self, peers: Sequence[bytes]) -> list[Agreed | None]:
        free = iter(self._pairs)
        pair = next(free)
        used: list[tuple[c_void_p, c_void_p] | None] = []
        for peer in peers:
            if self._multiplied(peer, *pair):
                used.append(pair)
                pair = next(free, pair)
            else:
                used.append(None)
        points = 2 * (len(used) - used.count(None))
        if self._divide(self._group, c_size_t(points), self._points, self._scratch) != 1:
            raise OSError("libcrypto could not tell where points lie")
        return [None if one is None else self._bytes(*one) for one in used]

    def _multiplied(self, peer: bytes, own: c_void_p, shared: c_void_p) -> bool:
        """Make a key pair and agree with a peer; False for what is no point, which reading it finds out."""
        group, scratch, private = self._group, self._scratch, self._private
        if not is_point(peer):
            return False
        if self._read(group, shared, peer, self._size, scratch) != 1:
            self._forget_errors()
            return False
        done = (
            self._random(private, self._order) == 1
            and self._multiply(group, own, private, None, None, scratch) == 1
            and self._multiply(group, shared, None, shared, private, scratch) == 1
        )
        if not done:
            raise OSError("libcrypto could not make a key pair")
        return True

    def _bytes(self, own: c_void_p, shared: c_void_p) -> Agreed:
        group, x, y, scratch = self._group, self._x, self._y, self._scratch
        # The denominator is 1 now. It would be 0 for a private key of 0, which is as likely as guessing somebody's.
        done = (
            self._coordinates(group, own, x, y, None, scratch) == 1
            and self._write(x, self._to_x, self._half) == SCALAR_SIZE
            and self._write(y, self._to_y, self._half) == SCALAR_SIZE
        )
        point = UNCOMPRESSED + self._out.raw
        done = (
            done
            and self._coordinates(group, shared, x, None, None, scratch) == 1
            and self._write(x, self._to_x, self._half) == SCALAR_SIZE
        )
        if not done:
            raise OSError("libcrypto gave a point that is none")
        return point, self._out.raw[:SCALAR_SIZE]


def load_points() -> Agree:
    """Find OpenSSL and agree by it; raises OSError or AttributeError where it or one of its functions is not there."""
    for name in LIBRARIES:
        try:
            return Points(ctypes.PyDLL(name)).agreed
        except OSError:
            continue
    raise OSError("libcrypto is not there")
