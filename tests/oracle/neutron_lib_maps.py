"""Runs in the oracle's environment: what neutron-lib says of attributes and values. JSON in, JSON out; see compare.py.

``{"aliases": [...]}`` asks for the attribute maps of extensions, put together in the order of what they require.
``{"aliases": [...], "values": {collection: {attribute: [value, ...]}}}`` asks what becomes of the values.
"""

# This environment has none of quantumd's; mypy does not see it.
# mypy: ignore-errors

import importlib
import json
import pkgutil
import sys

from neutron_lib import constants
from neutron_lib.api import definitions, validators
from oslo_config import cfg

CORE = ("network", "subnet", "port", "subnetpool")


def every_definition():
    """Return every API definition by alias."""
    found = {}
    for module in pkgutil.iter_modules(definitions.__path__):
        definition = importlib.import_module(f"neutron_lib.api.definitions.{module.name}")
        if hasattr(definition, "ALIAS"):
            found[definition.ALIAS] = definition
    return found


def in_order(known, aliases):
    """Return the definitions of the aliases, each after what it requires."""
    ordered = []

    def add(alias):
        definition = known.get(alias)
        if definition is None or definition in ordered or (alias not in aliases and alias not in CORE):
            return
        for required in sorted(getattr(definition, "REQUIRED_EXTENSIONS", None) or ()):
            add(required)
        ordered.append(definition)

    for alias in (*CORE, *sorted(aliases)):
        add(alias)
    return ordered


def put_together(ordered):
    """Return the attributes by collection, those of later definitions over those of earlier ones."""
    collections = {}
    for definition in ordered:
        for collection, attributes in (getattr(definition, "RESOURCE_ATTRIBUTE_MAP", None) or {}).items():
            collections.setdefault(collection, {}).update(attributes)
        for collection, nested in (getattr(definition, "SUB_RESOURCE_ATTRIBUTE_MAP", None) or {}).items():
            collections.setdefault(collection, {}).update(nested.get("parameters", {}))
    return collections


def told(spec):
    """Return what is said of one attribute, as JSON can hold it."""
    default = spec.get("default", "REQUIRED")
    if "default" in spec:
        default = "UNSET" if default is constants.ATTR_NOT_SPECIFIED else ["value", converted(spec, default)]
    return {
        "allow_post": bool(spec.get("allow_post")),
        "allow_put": bool(spec.get("allow_put")),
        "is_visible": bool(spec.get("is_visible")),
        "is_filter": bool(spec.get("is_filter")),
        "is_sort_key": bool(spec.get("is_sort_key")),
        "enforce_policy": bool(spec.get("enforce_policy")),
        "required_by_policy": bool(spec.get("required_by_policy")),
        "primary_key": bool(spec.get("primary_key")),
        "default": default,
        "validate": spec.get("validate", {}),
        "convert_to": getattr(spec.get("convert_to"), "__name__", None),
    }


def converted(spec, value):
    """Return the value as the rules would get it."""
    return spec["convert_to"](value) if "convert_to" in spec else value


def judged(spec, value):
    """Return ["taken", converted] or ["refused", reason]."""
    try:
        result = converted(spec, value)
        for rule, parameters in spec.get("validate", {}).items():
            reason = validators.get_validator(rule)(result, parameters)
            if reason:
                return ["refused", str(reason)]
    except cfg.NoSuchOptError:
        raise
    except Exception as error:  # noqa: BLE001 - a validator of theirs that fails refuses too
        return ["refused", f"{type(error).__name__}: {error}"]
    return ["taken", result]


def main():
    """Answer one question."""
    cfg.CONF.register_opts(
        [
            cfg.StrOpt("dns_domain", default="openstacklocal"),
            cfg.StrOpt("base_mac", default="fa:16:3e:00:00:00"),
            cfg.IntOpt("max_allowed_address_pair", default=10),
            cfg.BoolOpt("sg_filter_ethertypes", default=False),
        ]
    )
    asked = json.load(sys.stdin)
    ordered = in_order(every_definition(), set(asked["aliases"]))
    collections = put_together(ordered)
    if "values" in asked:
        answer = {
            collection: {
                name: [judged(collections[collection][name], value) for value in values]
                for name, values in attributes.items()
            }
            for collection, attributes in asked["values"].items()
        }
    else:
        answer = {
            "aliases": [each.ALIAS for each in ordered if getattr(each, "RESOURCE_ATTRIBUTE_MAP", None)],
            "collections": {
                collection: {name: told(spec) for name, spec in attributes.items()}
                for collection, attributes in collections.items()
            },
            "actions": {each.ALIAS: each.ACTION_MAP for each in ordered if getattr(each, "ACTION_MAP", None)},
        }
    json.dump(answer, sys.stdout, default=repr)


if __name__ == "__main__":
    main()
