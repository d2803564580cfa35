"""What the names of ports and of floating IPs may be."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import Attribute
from quantumd.api.errors import BadRequest, InvalidInput, InvalidValue
from quantumd.api.resources.network_values import DNS_DOMAIN
from quantumd.api.values import OBJECT, Value, list_of, shown
from quantumd.model.dns_names import LONGEST_NAME, UNNAMED_DOMAIN, domain_fault, name_fault

ALIAS: Final = "dns-integration"
DOMAIN_ALIAS: Final = "dns-domain-ports"

NAME: Final = "dns_name"
DOMAIN: Final = "dns_domain"
ASSIGNMENT: Final = "dns_assignment"

_SHORTEST_DOMAIN: Final = 3
"""A dot, a letter and a dot."""


def _name(given: Any) -> str:
    """Return a name in lower case, as names do not differ by case; '' is none."""
    if not isinstance(given, str):
        raise InvalidInput("Input value " + shown(given) + " must be string type")
    name = given.lower()
    fault = name_fault(name) if name else None
    if fault is not None:
        raise InvalidValue(f"'{shown(name)}' not a valid PQDN or FQDN. Reason: {fault}")
    return name


def _port_name(domain: str) -> Value:
    """A host name, or a full name in the domain."""

    def convert(given: Any) -> str:
        name = _name(given)
        if name and domain not in ("", UNNAMED_DOMAIN):
            fault = domain_fault(name, domain)
            if fault is not None:
                raise InvalidValue(fault)
        return name

    return Value(convert, {"type": "string", "maxLength": LONGEST_NAME + 1})


def _relative_name(given: Any) -> str:
    if isinstance(given, str) and given.endswith("."):
        raise InvalidValue(f"'{shown(given)}' is a FQDN. It should be a relative domain name")
    name = _name(given)
    if len(name) > LONGEST_NAME - _SHORTEST_DOMAIN:
        raise InvalidValue(
            f"'{name}' contains {len(name)} characters. Adding a domain name will cause it to exceed the maximum "
            f"length of a FQDN of '{LONGEST_NAME}'"
        )
    return name


_RELATIVE_NAME: Final = Value(_relative_name, {"type": "string", "maxLength": LONGEST_NAME - _SHORTEST_DOMAIN})


def port_names(domain: str) -> tuple[Attribute, ...]:
    """Return the attributes of ports. ``domain`` is that of the settings, with its final dot."""
    return (
        Attribute(NAME, *_port_name(domain), in_post=True, in_put=True, default="", is_sort_key=False, extension=ALIAS),
        Attribute(ASSIGNMENT, *list_of(OBJECT), is_sort_key=False, extension=ALIAS),
        Attribute(
            DOMAIN, *DNS_DOMAIN, in_post=True, in_put=True, default="", is_sort_key=False, extension=DOMAIN_ALIAS
        ),
    )


FLOATING_NAMES: Final = (
    Attribute(NAME, *_RELATIVE_NAME, in_post=True, default="", extension=ALIAS),
    Attribute(DOMAIN, *DNS_DOMAIN, in_post=True, default="", extension=ALIAS),
)
"""The attributes of floating IPs: they are given when one is made, and stay."""


def check_floating_name(name: str, domain: str) -> None:
    """Refuse a name of a floating IP without a domain, a domain without a name, and what is too long together.

    :raises BadRequest: see above.
    """
    if domain and not name:
        raise BadRequest("floatingip", "dns_domain cannot be specified without a dns_name")
    if name and not domain:
        raise BadRequest("floatingip", "dns_name cannot be specified without a dns_domain")
    if len(f"{name}.{domain}") > LONGEST_NAME:
        raise BadRequest(
            "floatingip", f"dns_name and dns_domain together exceed the {LONGEST_NAME} characters of a name"
        )
