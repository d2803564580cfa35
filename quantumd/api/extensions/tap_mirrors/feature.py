"""Tap mirrors, as the API serves them."""

from __future__ import annotations

from typing import Final

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.tap_mirrors.aspect import MirroredPorts
from quantumd.api.extensions.tap_mirrors.attributes import MIRROR_ATTRIBUTES
from quantumd.api.extensions.tap_mirrors.errors import TapMirrorNotFound
from quantumd.api.extensions.tap_mirrors.operations import TapMirrors
from quantumd.api.resource import Resource
from quantumd.model.tap_mirrors import MIRROR_TYPES

_ALIAS: Final = "tap-mirror"


def feature(parts: Parts) -> Feature:
    """Return the family of tap mirrors. A driver declares each type that it can send, as ``tap-mirror-<type>``."""
    types = frozenset(each for each in MIRROR_TYPES if parts.obeys(f"{_ALIAS}-{each}"))
    return Feature(
        extensions=(
            Extension(
                _ALIAS,
                "Tap as a Service GRE or ERSPAN mirror",
                "Neutron Tap as a Service extension for GRE or ERSPAN mirroring.",
                "2023-05-05T11:45:00-00:00",
                capability=_ALIAS,
            ),
            Extension(
                f"{_ALIAS}-both-direction",
                "Tap as a Service mirror with BOTH direction support",
                "Neutron Tap as a Service extension mirroring with support for BOTH direction.",
                "2025-12-15T11:45:00-00:00",
                capability=_ALIAS,
            ),
        ),
        resources=(
            Resource(
                "tap_mirror",
                "tap_mirrors",
                MIRROR_ATTRIBUTES,
                TapMirrors(parts.chance, types),
                TapMirrorNotFound,
                path="taas/tap_mirrors",
                extension=_ALIAS,
            ),
        ),
        port_aspects=(MirroredPorts(parts.obeys(_ALIAS)),),
    )
