"""Names of ports in the DNS."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_NAME = 255
"""The most characters that a full name has here."""

LONGEST_ASKED = 253
"""The most characters of a name without its final dot that a question or an answer has room for (RFC 1035 3.1)."""

UNNAMED_DOMAIN = "openstacklocal."
"""While this is the domain, ports are not given names of their own. Source: Neutron 29."""

_LABEL = re.compile(r"[a-z0-9-]{1,63}")


def name_fault(name: str) -> str | None:
    """Return why this (in lower case) is no host name or full name (RFC 1123 2.1), None when it is one."""
    trimmed = name.removesuffix(".")
    if len(trimmed) > LONGEST_NAME:
        return f"'{trimmed}' exceeds the {LONGEST_NAME} character FQDN limit"
    labels = trimmed.split(".")
    for label in labels:
        fault = _label_fault(label)
        if fault is not None:
            return fault
    # A top level domain is never a number.
    if len(labels) > 1 and labels[-1].isdigit():
        return f"TLD '{labels[-1]}' must not be all numeric"
    return None


def _label_fault(label: str) -> str | None:
    if not label:
        return "Encountered an empty component"
    if label.endswith("-") or label.startswith("-"):
        return f"Name '{label}' must not start or end with a hyphen"
    if not _LABEL.fullmatch(label):
        return f"Name '{label}' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen"
    return None


def domain_fault(name: str, domain: str) -> str | None:
    """Return why the name cannot be one of the domain (with its final dot), None when it can."""
    higher = f".{domain}" if domain else ""
    if not name.endswith("."):
        if len(name) + len(higher) <= LONGEST_NAME:
            return None
        return (
            f"The dns_name passed is a PQDN and its size is '{len(name)}'. The domain of ports' names is {domain}, "
            f"with a length of '{len(higher)}'. When the two are concatenated to form a FQDN (with a '.' at the end), "
            f"the resulting length exceeds the maximum size of '{LONGEST_NAME}'"
        )
    if len(name) > len(higher) and name.endswith(higher):
        return None
    return (
        "The dns_name passed is a FQDN. Its higher level labels must be equal to the domain of ports' names, that has "
        f"been set to '{domain}'. It must also include one or more valid DNS labels to the left of '{domain}'"
    )


def dotted(domain: str) -> str:
    """Return the domain with its final dot; '' stays."""
    return domain if not domain or domain.endswith(".") else f"{domain}."


def host_of(address: str) -> str:
    """Return what an address is called whose port has no name of its own."""
    return "host-" + address.replace(".", "-").replace(":", "-")


def assignments(addresses: Sequence[str], name: str, domain: str) -> list[dict[str, str]]:
    """Return what each address of a port is called.

    :param name: the port's own name, '' for none; :param domain: with its final dot.
    """
    found = []
    for address in addresses:
        host = name or host_of(address)
        full = host if host.endswith(".") or not domain else f"{host}.{domain}"
        found.append({"ip_address": address, "hostname": host, "fqdn": full})
    return found
