"""Names of ports in the DNS."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.dns.aspect import ASSIGNMENT, DOMAIN, NAME, PortNames
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resources.network_values import DNS_DOMAIN
from quantumd.api.values import OBJECT, Value, list_of, shown
from quantumd.model.dns_names import LONGEST_NAME, UNNAMED_DOMAIN, domain_fault, dotted, name_fault

ALIAS = "dns-integration"
DOMAIN_ALIAS = "dns-domain-ports"


def _name(domain: str) -> Value:
    """A host name, or a full name in the domain; in lower case, as names do not differ by case."""

    def convert(given: Any) -> str:
        if not isinstance(given, str):
            raise InvalidInput("Input value " + shown(given) + " must be string type")
        name = given.lower()
        fault = name_fault(name) if name else None
        if fault is not None:
            raise InvalidValue(f"'{shown(name)}' not a valid PQDN or FQDN. Reason: {fault}")
        if name and domain not in ("", UNNAMED_DOMAIN):
            fault = domain_fault(name, domain)
        if fault is not None:
            raise InvalidValue(fault)
        return name

    return Value(convert, {"type": "string", "maxLength": LONGEST_NAME + 1})


def _attributes(domain: str) -> tuple[Attribute, ...]:
    return (
        Attribute(NAME, *_name(domain), in_post=True, in_put=True, default="", is_sort_key=False, extension=ALIAS),
        Attribute(ASSIGNMENT, *list_of(OBJECT), is_sort_key=False, extension=ALIAS),
        Attribute(
            DOMAIN, *DNS_DOMAIN, in_post=True, in_put=True, default="", is_sort_key=False, extension=DOMAIN_ALIAS
        ),
    )


def feature(parts: Parts) -> Feature:
    """Return what names add to the API."""
    domain = dotted(parts.settings.dns_domain)
    return Feature(
        extensions=(
            Extension(ALIAS, "DNS Integration", "Provides integration with DNS.", "2015-08-15T18:00:00-00:00", ALIAS),
            Extension(
                DOMAIN_ALIAS,
                "dns_domain for ports",
                "Allows the DNS domain to be specified for a network port.",
                "2017-04-24T10:00:00-00:00",
                ALIAS,
            ),
        ),
        port_aspects=(PortNames(_attributes(domain), domain, parts.obeys(ALIAS)),),
    )
