# SPDX-License-Identifier: Apache-2.0
"""Encrypted configuration, written and read a second time from docs/FORMAT.md alone."""
import hashlib
import os

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import peerlist
import peerwrite
from peerwrite import field, u16

HASHES = {1: hashlib.sha1, 2: hashlib.sha256, 3: hashlib.sha512}
BLOCK = 16


def unseal(data, key_path):
    """The plain content; an assertion fails where anything is not as the description has it."""
    header = peerlist.parse_header(data)
    key = peerwrite.load_key(key_path).decrypt(header["content_key"], padding.PKCS1v15())
    assert len(key) == 16 and header["cipher"] == b"\1"
    assert header["content_mode"] == header["key_mode"] == b"\0"
    assert int.from_bytes(header["key_bits"], "big") == 8 * len(header["content_key"])
    content = data[header["header_length"]:]
    assert content and len(content) % BLOCK == 0
    decryptor = Cipher(algorithms.AES(key), modes.CBC(header["iv"])).decryptor()
    plain = decryptor.update(content) + decryptor.finalize()
    pad = int.from_bytes(header["content_padding"], "big")
    assert 1 <= pad <= BLOCK and plain[-pad:] == b"\x0d" * pad
    plain = plain[:-pad]
    assert HASHES[header["plain_digest_algorithm"][0]](plain).digest() == header["plain_digest"]
    return plain


def encryption(content, phone, *, digest="sha1", key=None, iv=None, pad=None, plain_digest=None, wrapped=None):
    """(fields 16 to 27, the encrypted content); what is given is taken instead of what is right."""
    key, iv = key or os.urandom(16), iv or os.urandom(16)
    code = peerwrite.DIGESTS[digest]
    more = BLOCK - len(content) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(content + b"\x0d" * more) + encryptor.finalize()
    wrapped = wrapped or phone.public_key().encrypt(key, padding.PKCS1v15())
    first = field(17, field(18, b"\0") + field(19, iv) + field(20, u16(more if pad is None else pad)))
    second = field(21, field(22, b"\0") + field(23, u16(8 * len(wrapped))) + field(24, b"\1") + field(25, wrapped))
    fields = field(16, first + second) + field(26, bytes([code]))
    return fields + field(27, plain_digest or HASHES[code](content).digest()), sealed
