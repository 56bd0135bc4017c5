"""The life of a channel on one screen: it is set up, works, and can be stopped at any moment."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class ChannelState(TextChoices):
    """Whether a channel takes new payments. What was begun on it is finished in every state."""

    DRAFT = "draft", pgettext_lazy("channel", "Being set up")
    """No version of its configuration was agreed to yet."""
    ACTIVE = "active", pgettext_lazy("channel", "Active")
    KILLED = "killed", pgettext_lazy("channel", "Stopped")
    """One person stopped it at once; two let it work again."""


CHANNEL_MOVES: Final[Mapping[ChannelState, frozenset[ChannelState]]] = {
    ChannelState.DRAFT: frozenset({ChannelState.ACTIVE}),
    ChannelState.ACTIVE: frozenset({ChannelState.KILLED}),
    ChannelState.KILLED: frozenset({ChannelState.ACTIVE}),
}
