"""What an operator would type in to connect a channel to a sandbox gateway."""

from collections.abc import Mapping

from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.speakers import SPEAKERS


def credentials_for(gateway: str) -> Mapping[str, str]:
    """Credentials by the dialect's names. Makes the gateway's keys on first use."""
    speaker = SPEAKERS[gateway]
    return speaker.credentials(keys_of(speaker))
