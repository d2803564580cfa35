"""The value of ``allowed_address_pairs``."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from quantumd.api.errors import HTTPBadRequest, InvalidInput, InvalidValue
from quantumd.api.extensions.allowed_address_pairs.errors import (
    AllowedAddressPairExhausted,
    AllowedAddressPairsMissingIP,
    DuplicateAddressPairInRequest,
)
from quantumd.api.values import CIDR, IP_ADDRESS, MAC_ADDRESS, Value, shown
from quantumd.model.address_pairs import groups_met
from quantumd.model.macs import is_port_mac

Pair = dict[str, str]
_KEYS = frozenset({"mac_address", "ip_address"})


def address_pairs(limit: int) -> Value:
    """A list of at most ``limit`` pairs of a MAC, which may be left out, and an address or prefix; null is none."""

    def convert(given: Any) -> tuple[Pair, ...]:
        if given is None:
            return ()
        if not isinstance(given, list):
            raise HTTPBadRequest("Allowed address pairs must be a list.")
        if len(given) > limit:
            raise AllowedAddressPairExhausted(limit)
        pairs = tuple(_pair(each) for each in given)
        refuse_repeated(pairs)
        return pairs

    pair = {
        "type": "object",
        "properties": {"mac_address": dict(MAC_ADDRESS.schema), "ip_address": {"type": "string"}},
        "required": ["ip_address"],
        "additionalProperties": False,
    }
    return Value(convert, {"anyOf": [{"type": "array", "items": pair, "maxItems": limit}, {"type": "null"}]})


def refuse_repeated(pairs: tuple[Pair, ...]) -> None:
    """DuplicateAddressPairInRequest when a pair is there twice."""
    seen = set()
    for pair in pairs:
        key = (pair.get("mac_address"), pair["ip_address"])
        if key in seen:
            raise DuplicateAddressPairInRequest(*key)
        seen.add(key)


def _pair(given: Any) -> Pair:
    if not isinstance(given, dict):
        raise InvalidValue(f"'{shown(given)}' is not a dictionary")
    pair: Pair = {}
    if "mac_address" in given:
        pair["mac_address"] = _mac(given["mac_address"])
    if "ip_address" not in given:
        raise AllowedAddressPairsMissingIP()
    unknown = [name for name in given if name not in _KEYS]
    if unknown:
        raise HTTPBadRequest(f"Unrecognized attribute(s) '{shown(', '.join(map(str, unknown)))}'")
    pair["ip_address"] = _address(given["ip_address"])
    return pair


def _mac(given: Any) -> str:
    try:
        mac: str = MAC_ADDRESS.convert(given)
    except InvalidInput as refusal:
        raise HTTPBadRequest(refusal.reason) from None
    if not is_port_mac(mac):
        raise HTTPBadRequest(f"MAC address {mac} is a multicast address, which is not supported.")
    return mac


def _address(given: Any) -> str:
    """Return the address, or the prefix without host bits, in canonical form; refuse addresses of groups."""
    is_prefix = isinstance(given, str) and "/" in given
    try:
        text: str = (CIDR if is_prefix else IP_ADDRESS).convert(given)
    except InvalidInput:
        kind = "IP subnet" if is_prefix else "IP address"
        raise HTTPBadRequest(f"'{shown(given)}' is not a valid {kind}") from None
    if is_prefix:
        groups = groups_met(text)
        if groups is not None:
            raise HTTPBadRequest(
                f"Subnet {ip_network(text)} overlaps with multicast range {groups}, which is not supported."
            )
    elif ip_address(text).is_multicast:
        raise HTTPBadRequest(f"IP {text} is a multicast address, which is not supported.")
    return text
