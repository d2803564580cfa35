"""The attribute map of conntrack helpers."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.resources.standard_attributes import ID
from quantumd.api.values import Value, filter_integer, filter_text, integer, one_of, string

ALIAS: Final = "l3-conntrack-helper"
EXPOSED: Final = "expose-l3-conntrack-helper"

_PROTOCOL: Final = one_of("dccp", "icmp", "ipv6-icmp", "sctp", "tcp", "udp")
"""Those that Neutron takes; which of them a helper understands is asked later."""


def _text(given: Any) -> Any:
    # As today, a number is a name.
    return _HELPER.convert(str(given) if isinstance(given, int) else given)


_HELPER: Final = string(64)

ATTRIBUTES: Final = (
    ID,
    Attribute("protocol", *_PROTOCOL, in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("port", *integer(1, 65_535), in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_integer),
    Attribute(
        "helper", *Value(_text, _HELPER.schema), in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_text
    ),
    Attribute("project_id", *string(255), in_post=True, is_visible=False),
)
