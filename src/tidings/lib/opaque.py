"""Pairs of numbers as text that tells nothing: an id that only we can read, and a token that proves it is ours."""

from __future__ import annotations

import hmac
import struct
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from itertools import chain

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tidings.lib.crypto import hkdf_expand

_BLOCK = 16
_TOKEN_BYTES = 12
ID_SIZE = 2 * _BLOCK
"""Characters of an id."""
TOKEN_SIZE = _TOKEN_BYTES * 4 // 3
"""Characters of a token."""


class OpaquePairs:
    """Turns pairs of 64-bit numbers into (id, token) and back, under one 32-byte key.

    The id is the AES-256 permutation of the pair's 16 bytes: the same pair always gives the same id, different pairs
    never collide, and no order or count shows through. The token is the first 96 bits of AES-256 over the id's 16 bytes
    under another key: CBC-MAC, which for messages of one block is as good as the cipher (Bellare, Kilian, Rogaway: The
    Security of the Cipher Block Chaining Message Authentication Code, 2000). Unlike HMAC it takes one pass for many.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the key must have 32 bytes")
        # One block is one message, so the plain permutation is what is wanted: no mode has anything to add.
        self._blocks = Cipher(algorithms.AES(hkdf_expand(key, b"opaque id")), modes.ECB())  # noqa: S305
        self._macs = Cipher(algorithms.AES(hkdf_expand(key, b"opaque token")), modes.ECB())  # noqa: S305

    def encode_many(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
        """Give for each pair its id (32 lower-case hex characters) and token (16 base64url characters).

        Both numbers must be in 0 to 2**64 - 1; others raise struct.error. All pairs take two passes of the cipher.
        """
        plain = struct.pack(f">{2 * len(pairs)}Q", *chain.from_iterable(pairs))
        blocks = self._blocks.encryptor().update(plain)
        ids, tokens = blocks.hex(), self._tokens(blocks)
        return list(
            zip(
                [ids[at : at + ID_SIZE] for at in range(0, len(ids), ID_SIZE)],
                [tokens[at : at + TOKEN_SIZE] for at in range(0, len(tokens), TOKEN_SIZE)],
                strict=True,
            )
        )

    def decode(self, id: str, token: str) -> tuple[int, int] | None:
        """Give the pair back, or None for whatever did not come from `encode_many` with this key."""
        try:
            block = bytes.fromhex(id)
        except ValueError:
            return None
        if len(block) != _BLOCK or block.hex() != id or not token.isascii():
            return None
        if not hmac.compare_digest(self._tokens(block), token):
            return None
        high, low = struct.unpack(">QQ", self._blocks.decryptor().update(block))
        return high, low

    def _tokens(self, blocks: bytes) -> str:
        """Give the tokens of whole blocks, one after the other."""
        macs = self._macs.encryptor().update(blocks)
        kept = b"".join([macs[at : at + _TOKEN_BYTES] for at in range(0, len(macs), _BLOCK)])
        return urlsafe_b64encode(kept).decode("ascii")
