"""Names of ports in the DNS."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.dns.aspect import PortNames
from quantumd.api.extensions.dns.attributes import ALIAS, DOMAIN_ALIAS, port_names
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.model.dns_names import dotted


def feature(parts: Parts) -> Feature:
    """Return what names add to the API; floating IPs have theirs themselves."""
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
        port_aspects=(PortNames(port_names(domain), domain, parts.obeys(ALIAS)),),
    )
