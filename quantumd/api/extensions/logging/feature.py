"""Logging, as the API serves it."""

from __future__ import annotations

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.logging.errors import LogResourceNotFound
from quantumd.api.extensions.logging.operations import LoggableResources, Logs, LogsOfPorts
from quantumd.api.resource import Resource
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STANDARD
from quantumd.api.values import (
    BOOLEAN,
    UUID_OR_NONE,
    filter_boolean,
    filter_text,
    filter_uuid,
    one_of,
    string,
)

_ALIAS = "logging"

_EXTENSIONS = (
    Extension(
        _ALIAS,
        "Logging API Extension",
        "Provides a logging API for resources such as security group and firewall.",
        "2017-01-01T10:00:00-00:00",
        capability=_ALIAS,
    ),
)

LOG_ATTRIBUTES = (
    ID,
    PROJECT_ID,
    NAMED,
    Attribute("resource_type", *string(255), in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("resource_id", *UUID_OR_NONE, in_post=True, default=None, filter_convert=filter_uuid),
    Attribute(
        "event",
        *one_of("ACCEPT", "DROP", "ALL"),
        in_post=True,
        default="ALL",
        filter_convert=filter_text,
        is_sort_key=False,
    ),
    Attribute("target_id", *UUID_OR_NONE, in_post=True, default=None, filter_convert=filter_uuid),
    Attribute("enabled", *BOOLEAN, in_post=True, in_put=True, default=True, filter_convert=filter_boolean),
    *STANDARD,
)


def feature(parts: Parts) -> Feature:
    """Return the family of logging."""
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "log",
                "logs",
                LOG_ATTRIBUTES,
                Logs(parts.chance),
                LogResourceNotFound,
                path="log/logs",
                extension=_ALIAS,
            ),
            Resource(
                "loggable_resource",
                "loggable_resources",
                (Attribute("type", *string(255)),),
                LoggableResources(),
                LogResourceNotFound,
                path="log/loggable-resources",
                verbs=frozenset({"list"}),
                extension=_ALIAS,
            ),
        ),
        port_aspects=(LogsOfPorts(),) if parts.obeys(_ALIAS) else (),
    )
