"""Secrets at rest: data keys seal values, a key ring seals the data keys, and each value is bound to its place."""

from __future__ import annotations

import hmac
import os
import re
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tidings.lib.crypto import Malformed, base64url_from, bytes_from_base64, hkdf_expand

RandomBytes = Callable[[int], bytes]

CREDENTIAL = "tidings-key"
"""Name of the systemd credential (`LoadCredential=tidings-key:/path`)."""
VARIABLE = "TIDINGS_KEY"
"""Name of the environment variable that holds a key ring."""
DATA_KEY_PREFIX = "data_key:"
"""What the names of stored data keys begin with; a number follows."""

_KEY_SIZE = 32
_NONCE_SIZE = 12
_VERSION = b"\x01"
_HEAD_SIZE = 5  # version, then the data key's number in four bytes
_NONCE_END = _HEAD_SIZE + _NONCE_SIZE
_TAG_SIZE = 16
_head: Callable[[bytes], bytes] = itemgetter(slice(_HEAD_SIZE))
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyRingError(Exception):
    """No usable key ring: what happened, why, and how to mend it; never a key."""


class SealBroken(Exception):
    """A sealed value was changed, was moved from its place, or belongs to a data key that is not here."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Key-encryption keys by id: the first encrypts, all decrypt."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def generate(cls, random_bytes: RandomBytes = os.urandom) -> KeyRing:
        """Make a ring with one new key."""
        return cls(((random_bytes(4).hex(), random_bytes(_KEY_SIZE)),))

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `kid:base64url` lines (commas part them too); empty lines and `#` comments are skipped."""
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.removeprefix("\ufeff").replace(",", "\n").splitlines(), start=1):
            entry = line.partition("#")[0].strip()
            if not entry:
                continue
            kid, key = _entry(entry, number)
            if kid in keys:
                raise KeyRingError(f"The key ring names `{kid}` twice. Give each key an id of its own.")
            keys[kid] = key
        if not keys:
            raise KeyRingError("The key ring is empty. Restore it from your backup; it holds lines of `id:key`.")
        return cls(tuple(keys.items()))

    def text(self) -> str:
        """Write the ring as `parse` reads it."""
        return "".join(f"{kid}:{base64url_from(key)}\n" for kid, key in self.keys)


def _entry(entry: str, number: int) -> tuple[str, bytes]:
    kid, _, encoded = entry.partition(":")
    try:
        key = bytes_from_base64(encoded.strip())
    except Malformed as error:
        raise KeyRingError(f"Key {number} of the key ring cannot be read. {error} Restore the ring.") from None
    if not _KEY_ID.fullmatch(kid) or len(key) != _KEY_SIZE:
        raise KeyRingError(
            f"Key {number} of the key ring is not `id:key`, where the key is {_KEY_SIZE} bytes in base64url. "
            "Restore the ring."
        )
    return kid, key


def find_key_ring(
    *,
    file: Path | None,
    default: Path,
    environ: Mapping[str, str],
    random_bytes: RandomBytes = os.urandom,
) -> tuple[KeyRing, Path | None]:
    """Give the key ring, and the path of the file if this call had to create it.

    The first source that is there counts: the systemd credential `tidings-key`, TIDINGS_KEY, `file`, `default`. Only
    `default` is created, with mode 0600; who creates it has to tell the operator to keep a copy. KeyRingError if the
    source is there and cannot be used: another source is never taken in its place.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (credential := Path(folder, CREDENTIAL)).exists():
        return _parsed(_text_of(credential), credential), None  # systemd guards it; its mode depends on the mount
    if text := environ.get(VARIABLE):
        return _parsed(text, VARIABLE), None
    if file is not None:
        return _parsed(_private_text_of(file), file), None
    if default.exists():
        return _parsed(_private_text_of(default), default), None
    ring = KeyRing.generate(random_bytes)
    if _create(default, ring.text()):
        return ring, default
    return _parsed(_private_text_of(default), default), None


def _parsed(text: str, place: Path | str) -> KeyRing:
    """Read a ring, and say of one that cannot be read where it is."""
    try:
        return KeyRing.parse(text)
    except KeyRingError as error:
        raise KeyRingError(f"In {place}: {error}") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeyRingError(f"The key file {path} cannot be read: {reason}. Check TIDINGS_KEY_FILE.") from None


def _private_text_of(path: Path) -> str:
    text = _text_of(path)
    if path.stat().st_mode & _OTHERS:
        raise KeyRingError(
            f"The key file {path} can be used by other accounts of this machine. Run `chmod 600 {path}`, "
            "and if somebody may have read it, add a new first key."
        )
    return text


def _create(path: Path, text: str) -> bool:
    """Create the file whole or not at all, mode 0600; False if somebody else did meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            return _link(draft, path)
        finally:
            os.unlink(draft)
    except OSError as error:
        raise KeyRingError(
            f"The key file {path} cannot be created: {error.strerror}. Make its folder writable, or give a key in "
            f"{VARIABLE} or TIDINGS_KEY_FILE."
        ) from None


def _link(draft: str, path: Path) -> bool:
    try:
        os.link(draft, path)  # unlike a rename, it never replaces a key that another process has made
    except FileExistsError:
        return False
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


class Sealer:
    """Seals and opens values with AES-256-GCM: `1 | data key | nonce | ciphertext and tag`, bound to a context.

    A context names the place of a value, such as `subscriptions|address|<row>`; what was sealed for one place opens in
    no other. Nonces are random: reseal with a new data key before 2**32 values (NIST SP 800-38D §8.3).
    """

    def __init__(self, data_keys: Mapping[int, bytes], *, random_bytes: RandomBytes = os.urandom) -> None:
        self._random_bytes = random_bytes
        self._opens = {
            _VERSION + number.to_bytes(4, "big"): AESGCM(hkdf_expand(key, b"seal"))
            for number, key in sorted(data_keys.items())
        }
        self._head, self._gcm = next(reversed(self._opens.items()))
        # The oldest data key, so that an index made with it holds when a newer one seals.
        self._root = data_keys[min(data_keys)]
        self._index_key = hkdf_expand(self._root, b"blind index")

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Seal with the newest data key; 33 bytes longer than the plaintext."""
        nonce = self._random_bytes(_NONCE_SIZE)
        return self._head + nonce + self._gcm.encrypt(nonce, plaintext, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Open what was sealed for this context, or raise SealBroken."""
        gcm = self._opens.get(sealed[:_HEAD_SIZE])
        if gcm is None or len(sealed) < _NONCE_END + _TAG_SIZE:
            raise SealBroken("The value is not sealed with a data key that is here.")
        try:
            return gcm.decrypt(sealed[_HEAD_SIZE:_NONCE_END], sealed[_NONCE_END:], context.encode())
        except InvalidTag:
            raise SealBroken("The value was changed, or belongs to another place.") from None

    def open_many(self, sealed: Sequence[bytes], *, contexts: Sequence[bytes]) -> list[bytes | None]:
        """Open many values, each sealed for its context (in UTF-8); None in place of one that `open` would refuse."""
        heads = set(map(_head, sealed))
        gcm = self._opens.get(heads.pop()) if len(heads) == 1 else None
        if gcm is not None:
            decrypt = gcm.decrypt
            try:
                return [
                    decrypt(one[_HEAD_SIZE:_NONCE_END], one[_NONCE_END:], context)
                    for one, context in zip(sealed, contexts, strict=True)
                ]
            except (InvalidTag, ValueError):
                pass  # which one it is, is found by opening each
        return [self._opened(one, context) for one, context in zip(sealed, contexts, strict=True)]

    def _opened(self, sealed: bytes, context: bytes) -> bytes | None:
        try:
            return self.open(sealed, context=context.decode())
        except SealBroken:
            return None

    def blind_index(self, value: bytes, *, context: str) -> bytes:
        """Give 32 bytes by which an equal value can be found in this context, and from which nothing can be read."""
        scope = context.encode()
        return hmac.digest(self._index_key, len(scope).to_bytes(4, "big") + scope + value, "sha256")

    def derive(self, purpose: str) -> bytes:
        """Give the 32-byte key for a purpose: another for each, the same for ever."""
        return hkdf_expand(self._root, b"derive " + purpose.encode())


def open_sealer(
    ring: KeyRing, stored: Mapping[str, bytes], *, random_bytes: RandomBytes = os.urandom
) -> tuple[Sealer, dict[str, bytes]]:
    """Unwrap the stored data keys (`data_key:<number>` -> wrapped key); give the sealer and what must be stored now.

    That is a new data key on first start, and the same keys wrapped anew after the ring got a new first key. Store it
    in the transaction that read `stored`: two first starts at once must not each keep a data key of their own.
    KeyRingError if the ring does not open them.
    """
    data_keys: dict[int, bytes] = {}
    changed: dict[str, bytes] = {}
    for name, wrapped in stored.items():
        key, kid = _unwrapped(ring, name, wrapped)
        data_keys[int(name.removeprefix(DATA_KEY_PREFIX))] = key
        if kid != ring.keys[0][0]:
            changed[name] = _wrapped(ring, name, key, random_bytes)
    if not data_keys:
        data_keys[1] = random_bytes(_KEY_SIZE)
        name = f"{DATA_KEY_PREFIX}1"
        changed[name] = _wrapped(ring, name, data_keys[1], random_bytes)
    return Sealer(data_keys, random_bytes=random_bytes), changed


def _wrapped(ring: KeyRing, name: str, key: bytes, random_bytes: RandomBytes) -> bytes:
    kid, wrapping = ring.keys[0]
    nonce = random_bytes(_NONCE_SIZE)
    head = _VERSION + bytes([len(kid)]) + kid.encode("ascii") + nonce
    return head + AESGCM(wrapping).encrypt(nonce, key, name.encode())


def _unwrapped(ring: KeyRing, name: str, wrapped: bytes) -> tuple[bytes, str]:
    if wrapped[:1] != _VERSION or len(wrapped) < 2:
        raise KeyRingError(f"The stored `{name}` has a form that this version does not know. Use a newer Tidings.")
    end = 2 + wrapped[1]
    kid = wrapped[2:end].decode("ascii", "replace")
    wrapping = dict(ring.keys).get(kid)
    if wrapping is None:
        raise KeyRingError(
            f"The secrets in this database are sealed with the key `{kid}`, which the key ring lacks. "
            "Start with the key file that belongs to this database; a backup of the data folder has it."
        )
    try:
        key = AESGCM(wrapping).decrypt(wrapped[end : end + _NONCE_SIZE], wrapped[end + _NONCE_SIZE :], name.encode())
    except (InvalidTag, ValueError):
        raise KeyRingError(
            f"The key `{kid}` of the key ring does not open the stored `{name}`: one of the two was changed. "
            "Restore the key file, or the database, from the same backup."
        ) from None
    return key, kid
