"""Run in the oracle's environment: evaluates Neutron's default rules for callers and targets, all as JSON.

From standard input: ``{"callers": [...], "targets": [...]}``, credentials and targets as oslo.policy takes them. To
standard output: by the name of each rule, the answers for every caller and, inside, every target.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def main() -> None:
    """Answer one question."""
    from neutron_lib.api import attributes, definitions

    # Checks of fields compare with what the attribute's converter makes of the text, so the maps must be there first.
    for module in definitions._ALL_API_DEFINITIONS:
        for collection, found in module.RESOURCE_ATTRIBUTE_MAP.items():
            attributes.RESOURCES.setdefault(collection, {}).update(found)

    from neutron import policy
    from neutron.conf import policies
    from oslo_config import cfg
    from oslo_policy import policy as oslo

    asked = json.load(sys.stdin)
    cfg.CONF([], project="neutron", default_config_files=[])
    del policy  # imported for the kinds of checks that it registers
    enforcer = oslo.Enforcer(cfg.CONF, use_conf=False)
    rules = {each.name: each.check for each in policies.list_rules()}
    enforcer.set_rules(oslo.Rules(rules, "default"), use_conf=False)

    def passes(check: Any, caller: Any, target: Any) -> bool:
        return bool(check(target, caller, enforcer))

    answers = {
        name: [[passes(check, caller, target) for target in asked["targets"]] for caller in asked["callers"]]
        for name, check in rules.items()
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
