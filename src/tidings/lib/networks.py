"""Addresses as they are counted: one by one, and of IPv6 the network that one connection has whole."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network


@lru_cache(maxsize=8192)
def network_of(address: str) -> str | None:
    """Give what an address is counted as: itself, and of IPv6 the /64 (RFC 6177); None for what is no address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(ip_network((ip, 64), strict=False))
