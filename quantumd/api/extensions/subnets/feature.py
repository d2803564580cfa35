"""What extensions add to subnets."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.subnets import external, publishing, segment, service_types
from quantumd.api.extensions.subnets.external import ExternalSubnets
from quantumd.api.extensions.subnets.publishing import Publishing
from quantumd.api.extensions.subnets.segment import SubnetSegments
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
    Extension(
        external.ALIAS,
        "Subnet belongs to an external network",
        "Informs if the subnet belongs to an external network",
        "2024-02-05T18:00:00-00:00",
    ),
    Extension(
        "subnet-segmentid-enforce",
        "Subnet SegmentID (policy enforced)",
        "Enforce segment_id policy rule.",
        "2018-09-04T00:00:00-00:00",
        capability=segment.EXTENSION,
    ),
    Extension(
        "subnet-segmentid-writable",
        "Subnet SegmentID (writable)",
        "Provides a writable segment_id attribute for a subnet resource.",
        "2018-03-12T00:00:00-00:00",
        capability=segment.EXTENSION,
    ),
)


def feature(parts: Parts) -> Feature:
    """Return what is added to subnets."""
    return Feature(
        extensions=SUBNET_EXTENSIONS,
        subnet_aspects=(ServiceTypes(), SubnetSegments(), ExternalSubnets(), Publishing()),
    )
