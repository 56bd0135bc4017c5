"""What a role or a key may do: the one table."""

from typing import Final

from merchants.accounts.states import Role

PAYMENTS_READ: Final = "payments.read"
PAYMENTS_WRITE: Final = "payments.write"
REFUNDS_WRITE: Final = "refunds.write"
BALANCE_READ: Final = "balance.read"
EVENTS_READ: Final = "events.read"
KEYS_MANAGE: Final = "keys.manage"
TEAM_MANAGE: Final = "team.manage"
APPLICATION_WRITE: Final = "application.write"

READING: Final = frozenset({PAYMENTS_READ, BALANCE_READ, EVENTS_READ})
TAKING: Final = frozenset({PAYMENTS_WRITE, KEYS_MANAGE})
"""What a merchant may not do whose papers ran out."""
SCOPES: Final = READING | {PAYMENTS_WRITE, REFUNDS_WRITE}
"""What an API key may be allowed. A key never makes keys or changes the team."""
ALL: Final = SCOPES | {KEYS_MANAGE, TEAM_MANAGE, APPLICATION_WRITE}

OF_ROLE: Final[dict[Role, frozenset[str]]] = {
    Role.OWNER: ALL,
    Role.FINANCE: READING | {REFUNDS_WRITE},
    Role.OPERATOR: frozenset({PAYMENTS_READ, EVENTS_READ, PAYMENTS_WRITE, REFUNDS_WRITE}),
    Role.DEVELOPER: frozenset({PAYMENTS_READ, EVENTS_READ, KEYS_MANAGE}),
    Role.READ_ONLY: READING,
}
