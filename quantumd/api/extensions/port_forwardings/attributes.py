"""The attribute map of port forwardings."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.resources.standard_attributes import ID
from quantumd.api.values import (
    IP_ADDRESS,
    UUID,
    Value,
    filter_integer,
    filter_text,
    filter_uuid,
    integer,
    one_of,
    or_none,
    shown,
    string,
)
from quantumd.model.port_forwarding import PROTOCOLS, parse_span

ALIAS: Final = "floating-ip-port-forwarding"
DESCRIPTIONS: Final = "floating-ip-port-forwarding-description"
RANGES: Final = "floating-ip-port-forwarding-port-ranges"
EXPOSED: Final = "expose-port-forwarding-in-fip"


def _span(value: Any) -> str:
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        try:
            return parse_span(str(value)).text
        except ValueError:
            pass
    raise InvalidValue(f"'{shown(value)}' is not a port from 1 to 65535, or two of them in order with a colon between")


_PORT_OR_NONE: Final = or_none(integer(1, 65_535))
_SPAN_OR_NONE: Final = or_none(Value(_span, {"type": "string", "pattern": "^[0-9]{1,5}(:[0-9]{1,5})?$"}))


def _filter_span(text: str) -> str:
    """Compare as two ports; text that names none matches nothing and is not an error."""
    try:
        return parse_span(text).text
    except ValueError:
        return text


ATTRIBUTES: Final = (
    ID,
    Attribute("protocol", *one_of(*PROTOCOLS), in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("external_port", *_PORT_OR_NONE, in_post=True, in_put=True, default=None, filter_convert=filter_integer),
    Attribute(
        "external_port_range",
        *_SPAN_OR_NONE,
        in_post=True,
        in_put=True,
        default=None,
        filter_convert=_filter_span,
        extension=RANGES,
    ),
    Attribute("internal_port", *_PORT_OR_NONE, in_post=True, in_put=True, default=None),
    Attribute("internal_port_range", *_SPAN_OR_NONE, in_post=True, in_put=True, default=None, extension=RANGES),
    Attribute("internal_ip_address", *IP_ADDRESS, in_post=True, in_put=True, default=REQUIRED),
    Attribute("internal_port_id", *UUID, in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute(
        "description",
        *string(1024),
        in_post=True,
        in_put=True,
        default="",
        filter_convert=filter_text,
        is_sort_key=False,
        extension=DESCRIPTIONS,
    ),
    Attribute("project_id", *string(255), in_post=True, is_visible=False),
)
"""A port, or a range, is named outside and inside; both are shown, the port as null when there are several."""
