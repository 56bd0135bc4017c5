"""The refusals of the REST face itself, before any rule of the domain is asked."""

from payments.errors import Refusal


class BodyNotJson(Refusal):
    """The body is not JSON, or is JSON that two programs could read in two ways."""

    code = "body_not_json"


class BodyTooLarge(Refusal):
    """More bytes than any call needs."""

    code = "body_too_large"


class ContentTypeUnsupported(Refusal):
    """The body claims to be something else than JSON in UTF-8."""

    code = "content_type_unsupported"


class IdempotencyKeyMalformed(Refusal):
    """Too long, or not made of printable ASCII."""

    code = "idempotency_key_malformed"
