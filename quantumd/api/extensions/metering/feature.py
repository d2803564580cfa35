"""Metering, as the API serves it. What is counted are packets that routers forward."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.metering.attributes import LABEL_ATTRIBUTES, RULE_ATTRIBUTES
from quantumd.api.extensions.metering.errors import MeteringLabelNotFound, MeteringLabelRuleNotFound
from quantumd.api.extensions.metering.labels import Labels
from quantumd.api.extensions.metering.rules import Rules
from quantumd.api.resource import Resource

_ALIAS = "metering"
_VERBS = frozenset({"create", "list", "show", "delete"})


def feature(parts: Parts) -> Feature:
    """Return the family of metering."""
    return Feature(
        extensions=(
            Extension(
                _ALIAS,
                "Neutron Metering",
                "Neutron Metering extension.",
                "2013-06-12T10:00:00-00:00",
                capability=_ALIAS,
            ),
        ),
        resources=(
            Resource(
                "metering_label",
                "metering_labels",
                LABEL_ATTRIBUTES,
                Labels(parts.chance),
                MeteringLabelNotFound,
                path="metering/metering-labels",
                verbs=_VERBS,
                extension=_ALIAS,
            ),
            Resource(
                "metering_label_rule",
                "metering_label_rules",
                RULE_ATTRIBUTES,
                Rules(parts.chance),
                MeteringLabelRuleNotFound,
                path="metering/metering-label-rules",
                verbs=_VERBS,
                extension=_ALIAS,
            ),
        ),
    )
