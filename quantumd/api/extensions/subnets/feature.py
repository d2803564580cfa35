"""What extensions add to subnets."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.subnets import publishing, service_types
from quantumd.api.extensions.subnets.publishing import Publishing
from quantumd.api.extensions.subnets.service_types import ServiceTypes

SUBNET_EXTENSIONS = (
    Extension(
        service_types.ALIAS,
        "Subnet service types",
        "Provides ability to set the subnet service_types field",
        "2016-03-15T18:00:00-00:00",
    ),
    Extension(
        publishing.ALIAS,
        "Subnet DNS publish fixed IP",
        "Support choosing to publish DNS records for IPs from a subnet",
        "2019-05-24T10:00:00-00:00",
        capability=publishing.ALIAS,
    ),
)


def feature(parts: Parts) -> Feature:
    """Return what is added to subnets."""
    return Feature(extensions=SUBNET_EXTENSIONS, subnet_aspects=(ServiceTypes(), Publishing()))
