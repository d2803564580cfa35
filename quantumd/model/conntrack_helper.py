"""Conntrack helpers: protocols that name connections to come in what they say, and what the kernel calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KERNEL_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "amanda": {"udp": "amanda"},
    "ftp": {"tcp": "ftp"},
    "h323": {"udp": "RAS", "tcp": "Q.931"},
    "irc": {"tcp": "irc"},
    "netbios-ns": {"udp": "netbios-ns"},
    "pptp": {"tcp": "pptp"},
    "sane": {"tcp": "sane"},
    "sip": {"udp": "sip", "tcp": "sip"},
    "snmp": {"udp": "snmp"},
    "tftp": {"udp": "tftp"},
}
"""Names in the kernel, by name and protocol. Source: net/netfilter/nf_conntrack_*.c, nf_conntrack_helper_init there."""
