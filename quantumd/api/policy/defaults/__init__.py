"""The rules that hold where the policy file says nothing: those of today's Neutron,
but for a few, which tests/oracle/test_neutron_policies.py names with the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantumd.api.policy.defaults import base, networks, others, ports, qos, routers, security

DEFAULTS: Final[Mapping[str, str]] = {
    name: check
    for module in (base, networks, ports, security, qos, routers, others)
    for name, check in module.RULES.items()
}
"""Check strings by the names of rules."""
