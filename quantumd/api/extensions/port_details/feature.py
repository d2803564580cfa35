"""What ports say for others to read, and small extensions that only say how ports behave."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.port_details.aspects import Details
from quantumd.api.extensions.port_details.attributes import (
    DATA_PLANE,
    DEVICE_PROFILE,
    HINTS,
    NUMA,
    NUMA_SOCKET,
    OFFLOAD,
    RESOURCE_REQUEST,
    TRUSTED,
    UPLINK,
)

_DETAILS = (
    Extension(
        UPLINK,
        "Uplink status propagation extension",
        "Provides ability to propagate port uplink status.",
        "2018-05-31T18:00:00-00:00",
    ),
    Extension(
        "uplink-status-propagation-updatable",
        "Uplink status propagation updatable extension",
        "Provides ability to update the port uplink status.",
        "2024-09-03T18:00:00-00:00",
    ),
    Extension(
        DATA_PLANE,
        "Port data plane status extension",
        "Expose status of underlying data plane",
        "2017-01-24T10:00:00-00:00",
    ),
    Extension(
        DEVICE_PROFILE, "Port device profile", "Expose the port device profile (Cyborg)", "2020-12-17T10:00:00-00:00"
    ),
    Extension(NUMA, "Port NUMA affinity policy", "Expose the port NUMA affinity policy", "2020-07-08T10:00:00-00:00"),
    Extension(
        NUMA_SOCKET,
        'Port NUMA affinity policy "socket"',
        'Adds "socket" to the supported port NUMA affinity policies',
        "2024-02-09T10:00:00-00:00",
    ),
    Extension(
        HINTS,
        "Port hints",
        "Backend specific port hints to allow backend specific tuning",
        "2023-01-01T00:00:00-00:00",
        capability=HINTS,
    ),
    Extension(
        "port-hint-ovs-tx-steering",
        "Port hint: Open vSwitch Tx steering",
        "Enable Port hint: Open vSwitch Tx steering",
        "2023-01-01T00:00:00-00:00",
        capability="port-hint-ovs-tx-steering",
    ),
    Extension(TRUSTED, "Port trusted vif", "Expose port 'trusted' attribute in the API", "2024-07-10T10:00:00-00:00"),
    Extension(OFFLOAD, "Port hardware offload", "Expose port hardware offload extension", "2023-05-09T10:00:00-00:00"),
    Extension(
        RESOURCE_REQUEST, "Port Resource Request", "Expose resource request to Port", "2018-05-08T10:00:00-00:00"
    ),
    Extension(
        "port-resource-request-groups",
        "Port Resource Request Groups",
        "Support requesting multiple groups of resources and traits from the same RP subtree in resource_request",
        "2021-08-02T10:00:00-00:00",
    ),
)

_BEHAVIOUR = (
    Extension("ip_allocation", "IP Allocation", "IP allocation extension.", "2016-06-10T23:00:00-00:00"),
    Extension(
        "port-mac-address-regenerate",
        "Neutron Port MAC address regenerate",
        "Network port MAC address regenerate",
        "2018-05-03T10:00:00-00:00",
    ),
    Extension(
        "port-mac-override",
        "Neutron Port MAC address override",
        "Allow overriding the MAC address of a direct-physical Port via the active binding profile",
        "2022-03-18T10:00:00-00:00",
    ),
    Extension(
        "l3-port-ip-change-not-allowed",
        "Prevent L3 router ports IP address change extension",
        "Prevent change of IP address for some L3 router ports",
        "2018-10-09T10:00:00-00:00",
        capability="router",
    ),
    Extension(
        "tag-ports-during-bulk-creation",
        "Tag Ports During Bulk Creation",
        "Allow to tag ports during bulk creation",
        "2019-12-29T19:00:00-00:00",
    ),
    Extension("port-security", "Port Security", "Provides port security", "2012-07-23T10:00:00-00:00", "port-security"),
)


def feature(parts: Parts) -> Feature:
    """Return what these extensions add to the API."""
    return Feature(extensions=(*_DETAILS, *_BEHAVIOUR), port_aspects=(Details(),))
