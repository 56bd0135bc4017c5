"""What was asked for, as characters that can be hashed, and whether they are still the same."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

from compliance.approvals.models import Approval
from compliance.protection.fields import keyed_digest, keyed_digests

PURPOSE: Final = "approval"


def canonical(facts: Mapping[str, Any]) -> str:
    """JSON with one spelling: sorted names, no spaces."""
    return json.dumps(
        dict(facts), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def freeze(approval: Approval) -> None:
    """Set the hash and the seal of a request that is complete. The caller saves the row."""
    approval.payload_sha256 = sha256(approval.payload.encode()).hexdigest()
    approval.seal = keyed_digest(_told(approval), purpose=PURPOSE)


def is_as_asked(approval: Approval) -> bool:
    """Whether the stored request is the one that was made, to the letter."""
    told, kept = _told(approval), bytes(approval.seal)
    is_hash_right = sha256(approval.payload.encode()).hexdigest() == approval.payload_sha256
    return is_hash_right and any(
        hmac.compare_digest(kept, digest) for digest in keyed_digests(told, purpose=PURPOSE)
    )


def _told(approval: Approval) -> bytes:
    # Requests from before there were merchants' own are sealed without the name.
    among = {"merchant": approval.merchant} if approval.merchant else {}
    return canonical({
        **among,
        "number": approval.public_id,
        "kind": approval.kind,
        "subject": [approval.subject_kind, approval.subject_id],
        "payload": approval.payload,
        "before": approval.before,
        "maker": [approval.maker_id, approval.maker_person],
        "reason": approval.reason,
        "needed": approval.needed,
        "created_at": approval.created_at.astimezone(UTC).isoformat(),
        "expires_at": approval.expires_at.astimezone(UTC).isoformat(),
    }).encode()  # fmt: skip
