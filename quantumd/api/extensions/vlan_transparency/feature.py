"""Networks that pass the VLAN tags of guests. Drivers declare the aliases that they obey."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.vlan_transparency.aspect import GuestTags


def feature(parts: Parts) -> Feature:
    """Return what tags of guests add to the API."""
    return Feature(
        extensions=(
            Extension(
                "vlan-transparent",
                "Vlantransparent",
                "Provides Vlan Transparent Networks",
                "2015-03-23T09:00:00-00:00",
                capability="vlan-transparent",
            ),
            Extension(
                "qinq",
                "QinQ networks",
                "Expose network 'qinq' attribute in the API. This allows to configure network to allow vlan in vlan "
                "configuration using 0x88a8 ethertype (QinQ).",
                "2024-12-02T10:00:00-00:00",
                capability="qinq",
            ),
        ),
        network_aspects=(GuestTags(),),
    )
