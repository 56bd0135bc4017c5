"""What a role or a key may do: the one table."""

from typing import Final

from merchants.accounts.states import Role

PAYMENTS_READ: Final = "payments.read"
PAYMENTS_WRITE: Final = "payments.write"
REFUNDS_WRITE: Final = "refunds.write"
BALANCE_READ: Final = "balance.read"
EVENTS_READ: Final = "events.read"
KEYS_MANAGE: Final = "keys.manage"
ENDPOINTS_MANAGE: Final = "endpoints.manage"
TEAM_MANAGE: Final = "team.manage"
APPLICATION_WRITE: Final = "application.write"
TICKETS_READ: Final = "tickets.read"
TICKETS_WRITE: Final = "tickets.write"

READING: Final = frozenset({PAYMENTS_READ, BALANCE_READ, EVENTS_READ})
TAKING: Final = frozenset({PAYMENTS_WRITE, KEYS_MANAGE})
"""What a merchant may not do whose papers ran out."""
ASKING: Final = frozenset({TICKETS_READ, TICKETS_WRITE})
"""What a suspended merchant's people keep: they must be able to ask why."""
SCOPES: Final = READING | {PAYMENTS_WRITE, REFUNDS_WRITE}
"""What an API key may be allowed. A key never makes keys, names endpoints or changes the team."""
ALL: Final = SCOPES | ASKING | {
    KEYS_MANAGE, ENDPOINTS_MANAGE, TEAM_MANAGE, APPLICATION_WRITE,
}  # fmt: skip

OF_ROLE: Final[dict[Role, frozenset[str]]] = {
    Role.OWNER: ALL,
    Role.FINANCE: READING | ASKING | {REFUNDS_WRITE},
    Role.OPERATOR: ASKING | {PAYMENTS_READ, EVENTS_READ, PAYMENTS_WRITE, REFUNDS_WRITE},
    Role.DEVELOPER: ASKING | {
        PAYMENTS_READ, EVENTS_READ, KEYS_MANAGE, ENDPOINTS_MANAGE,
    },
    Role.READ_ONLY: READING | {TICKETS_READ},
}  # fmt: skip
