"""Opens what WeChat Pay encrypts for us with the APIv3 key."""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.channels.wechatpay.reading import Fields, Unreadable

ALGORITHM: Final = "AEAD_AES_256_GCM"


def open_sealed(cipher: AESGCM, sealed: Fields) -> bytes:
    """Decrypt a notification's `resource` or a certificate. Raises Unreadable.

    `associated_data` may be empty or absent; both mean the same.
    """
    if sealed.text("algorithm") != ALGORITHM:
        raise Unreadable("algorithm")
    try:
        nonce = sealed.text("nonce").encode()
        associated = sealed.text_or_empty("associated_data").encode()
        data = base64.b64decode(sealed.text("ciphertext"), validate=True)
        return cipher.decrypt(nonce, data, associated)
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Unreadable("ciphertext") from error
