"""The networks that an API key may be used from."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from merchants.errors import MerchantRefusal

NETWORKS_MAX: Final = 20


class NetworkMalformed(MerchantRefusal):
    """What was typed is neither an address nor a network in CIDR notation."""

    code = "network_malformed"


class TooManyNetworks(MerchantRefusal):
    """A key may name at most NETWORKS_MAX networks."""

    code = "too_many_networks"


def networks_of(typed: Iterable[str]) -> list[str]:
    """The networks in their shortest form, each once and sorted; a lone address is one of its own.

    Raises NetworkMalformed, also where bits stand behind the prefix ("10.0.0.1/8"): whoever typed
    that meant something else. Raises TooManyNetworks.
    """
    found = set()
    for text in typed:
        try:
            network = ip_network(text.strip())
        except ValueError:
            raise NetworkMalformed(network=text[:64]) from None
        if "%" in text:
            raise NetworkMalformed(network=text[:64])
        found.add(str(network))
    if len(found) > NETWORKS_MAX:
        raise TooManyNetworks(most=NETWORKS_MAX)
    return sorted(found)


def comparable(address: str) -> str:
    """A caller's address as the database compares it: IPv4 in IPv6's clothes counts as IPv4."""
    if not address:
        return ""
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
