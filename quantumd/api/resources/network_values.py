"""Values that only networks have: lists of segments, DNS domains, availability zones."""

from __future__ import annotations

import re
from typing import Any, Final

from quantumd.api.errors import HTTPBadRequest, InvalidInput, InvalidValue
from quantumd.api.resources.views import json_text
from quantumd.api.values import Value, integer, list_of, shown, string

SEGMENT_NAMES: Final = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")

_FQDN_CHARACTERS: Final = 255
_AZ_HINTS_CHARACTERS: Final = 255
_LABEL: Final = re.compile(r"[a-zA-Z0-9-]{1,63}")


def _segments(value: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidValue(f"'{shown(value)}' is not a list of segments")
    return tuple(_segment(each) for each in value)


def _segment(given: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in given if name not in SEGMENT_NAMES]
    if unknown:
        raise HTTPBadRequest(f"Unrecognized attribute(s) '{shown(', '.join(unknown))}'")
    network_type, physical_network, number = (given.get(name) for name in SEGMENT_NAMES)
    return {
        SEGMENT_NAMES[0]: None if network_type is None else string(32).convert(network_type),
        SEGMENT_NAMES[1]: None if physical_network is None else string(64).convert(physical_network),
        # Clients leave a number out by an empty text, too.
        SEGMENT_NAMES[2]: None if number in (None, "") else integer().convert(number),
    }


SEGMENTS: Final = Value(
    _segments,
    {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                SEGMENT_NAMES[0]: {"type": ["string", "null"], "maxLength": 32},
                SEGMENT_NAMES[1]: {"type": ["string", "null"], "maxLength": 64},
                SEGMENT_NAMES[2]: {"type": ["integer", "null"]},
            },
            "additionalProperties": False,
        },
    },
)
"""Several segments of one network."""


def _dns_domain(value: Any) -> str:
    domain: str = string(_FQDN_CHARACTERS).convert(value)
    if domain == "":
        return domain
    if not domain.endswith("."):
        raise InvalidValue(f"'{shown(domain)}' is not a FQDN")
    fault = _domain_fault(domain[:-1].split("."))
    if fault is not None:
        raise InvalidValue(f"'{shown(domain)}' not a valid PQDN or FQDN. Reason: {fault}")
    return domain.lower()


def _domain_fault(labels: list[str]) -> str | None:
    """Return why these are not the labels of a domain name (RFC 1123 2.1), None when they are."""
    for label in labels:
        if not label:
            return "Encountered an empty component"
        if label.startswith("-") or label.endswith("-"):
            return f"Name '{shown(label)}' must not start or end with a hyphen"
        if not _LABEL.fullmatch(label):
            return (
                f"Name '{shown(label)}' must be 1-63 characters long, "
                "each of which can only be alphanumeric or a hyphen"
            )
    if len(labels) > 1 and labels[-1].isdigit():
        return f"TLD '{labels[-1]}' must not be all numeric"
    return None


DNS_DOMAIN: Final = Value(_dns_domain, {"type": "string", "maxLength": _FQDN_CHARACTERS})
"""A domain name with its final dot, in lower case; '' is none."""

_ZONES: Final = list_of(string(_AZ_HINTS_CHARACTERS))


def _zone_hints(value: Any) -> tuple[str, ...]:
    zones: tuple[str, ...] = _ZONES.convert(value)
    if len(json_text(zones)) > _AZ_HINTS_CHARACTERS:
        raise InvalidInput("Too many availability_zone_hints specified")
    return zones


ZONE_HINTS: Final = Value(_zone_hints, _ZONES.schema)
"""Names of availability zones."""
