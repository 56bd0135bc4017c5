"""Fills a scratch database for a run: merchants, channels, paid-for-nothing attempts, signed
messages.
"""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from merchants.accounts.abilities import SCOPES
from merchants.accounts.keys import create_api_key
from merchants.accounts.register import register_merchant
from payments.acquiring.tokens import checkout_token
from payments.channels.models import Channel
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.speakers import SPEAKERS
from payments.channels.signing import private_key, sign
from paysite.demo.channels import connect_sandbox

MERCHANTS: Final = 200
"""As in the floor's scripts."""

_FILL: Final = """
WITH p AS (
  INSERT INTO payments_payment (public_id, merchant_id, livemode, merchant_order_no, amount_minor,
         currency, subject, fingerprint, created_at, expires_at, callback_url, checkout_token)
  SELECT one.id, one.merchant, false, one.id, 12800, 'CNY', 'Order of tea', '\\x00', %(now)s,
         %(later)s, 'http://127.0.0.1:9/cb', one.token
    FROM unnest(%(ids)s::text[], %(merchants)s::bigint[], %(tokens)s::text[])
         AS one (id, merchant, token)
  RETURNING id, public_id)
INSERT INTO payments_attempt (number, payment_id, channel_id, method, product, state, amount_minor,
       currency, presentation, created_at, expires_at, ask_at)
SELECT replace(public_id, '_', ''), id, %(channel)s, 'wechatpay', 'native', 'open', 12800, 'CNY',
       %(shown)s::jsonb, %(now)s, %(later)s, %(later)s FROM p
"""


@dataclass(frozen=True)
class Prepared:
    """What the load needs to know."""

    api_keys: list[str]
    merchant_ids: list[int]
    wechatpay: Channel


def prepare() -> Prepared:
    """As many merchants with a key each as the floor has, and the sandbox's channels."""
    now = timezone.now()
    ids, api_keys = [], []
    for number in range(1, MERCHANTS + 1):
        merchant = register_merchant(name=f"Bench Tea {number}", actor=SYSTEM, at=now)
        _, secret = create_api_key(
            merchant_id=merchant.pk,
            livemode=False,
            label="bench",
            scopes=SCOPES,
            actor=SYSTEM,
            at=now,
        )
        ids.append(merchant.pk)
        api_keys.append(secret)
    connect_sandbox(actor=SYSTEM)
    return Prepared(api_keys, ids, Channel.objects.get(code="wechatpay"))


def fill(prepared: Prepared, *, count: int) -> list[str]:
    """Open `count` attempts as rows, as if customers were looking at their codes. Their numbers."""
    tag = secrets.token_hex(3)
    ids = [f"pay_bench{tag}{number}" for number in range(1, count + 1)]
    now = timezone.now().replace(microsecond=0)
    later = now + timedelta(hours=2)
    shown = {
        "kind": "qr",
        "content": "weixin://wxpay/bizpayurl?pr=bench",
        "expires_at": later.isoformat(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _FILL,
            {"ids": ids, "tokens": [checkout_token(one) for one in ids], "now": now, "later": later,
             "merchants": list(islice(cycle(prepared.merchant_ids), count)),
             "channel": prepared.wechatpay.pk, "shown": json.dumps(shown)},
        )  # fmt: skip
        cursor.execute("ANALYZE payments_payment, payments_attempt")
    return [one.replace("_", "") for one in ids]


def write_pages(numbers: list[str], path: Path) -> None:
    """The checkout addresses of these attempts' payments, one a line."""
    ids = [number.replace("paybench", "pay_bench") for number in numbers]
    path.write_text("".join(f"/pay/{checkout_token(public_id)}/\n" for public_id in ids))


def write_notifications(numbers: list[str], path: Path) -> None:
    """A signed, encrypted success notification for each attempt, for the load generator."""
    with path.open("w") as file:
        for line in _notifications(numbers):
            file.write(line)


def _notifications(numbers: list[str]) -> Iterator[str]:
    speaker = SPEAKERS["wechatpay"]
    keys = keys_of(speaker)
    credentials = speaker.credentials(keys)
    key = private_key(keys["platform_private_key"])
    serial = credentials["platform_public_key_id"]
    aead = AESGCM(credentials["apiv3_key"].encode())
    now = timezone.now()
    for number in numbers:
        trade = {
            "mchid": credentials["mchid"], "appid": credentials["appid"], "out_trade_no": number,
            "transaction_id": f"42{secrets.randbelow(10**26):026d}", "trade_type": "NATIVE",
            "trade_state": "SUCCESS", "bank_type": "OTHERS",
            "success_time": now.isoformat(timespec="seconds"), "payer": {"openid": "bench"},
            "amount": {"total": 12800, "payer_total": 12800, "currency": "CNY",
                       "payer_currency": "CNY"},
        }  # fmt: skip
        nonce = secrets.token_hex(6)
        sealed = aead.encrypt(nonce.encode(), json.dumps(trade).encode(), b"transaction")
        body = json.dumps({
            "id": secrets.token_hex(16), "create_time": trade["success_time"],
            "resource_type": "encrypt-resource", "event_type": "TRANSACTION.SUCCESS",
            "summary": "success",
            "resource": {"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM",
                         "ciphertext": base64.b64encode(sealed).decode(),
                         "associated_data": "transaction", "nonce": nonce},
        })  # fmt: skip
        stamp, salt = str(int(time.time())), secrets.token_hex(16)
        signature = sign(key, f"{stamp}\n{salt}\n{body}\n".encode())
        yield "\t".join([stamp, salt, serial, signature, body]) + "\n"
