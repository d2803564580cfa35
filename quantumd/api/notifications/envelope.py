"""Notifications as bytes: oslo.messaging's format 2.0.

Source: oslo_messaging/notify/notifier.py (the fields), _drivers/amqp.py (``_context_*``, ``_unique_id``) and
_drivers/common.py (the envelope).
"""

from __future__ import annotations

import orjson

from quantumd.api.notifications.messages import Notification
from quantumd.edge.amqp.interfaces import Message

PRIORITY = "INFO"
TOPIC_PRIORITY = "info"
"""What the routing key ends with."""


def as_message(notification: Notification, publisher_id: str) -> Message:
    """Return the message. Its ``_unique_id`` lets oslo.messaging's listeners drop one that comes again."""
    message_id = str(notification.message_id)
    inner = {
        "message_id": message_id,
        "publisher_id": publisher_id,
        "event_type": notification.event_type,
        "priority": PRIORITY,
        "payload": notification.payload,
        "timestamp": _timestamp(notification.at),
        "_unique_id": notification.message_id.hex,
        **{f"_context_{name}": value for name, value in _context(notification).items()},
    }
    outer = {"oslo.version": "2.0", "oslo.message": orjson.dumps(inner).decode()}
    return Message(orjson.dumps(outer), message_id=message_id)


def _context(notification: Notification) -> dict[str, str | bool | None]:
    """What is known of who asked, by the names that today's contexts have."""
    asker = notification.asker
    return {
        "request_id": asker.request_id,
        "user_id": asker.user_id,
        "user": asker.user_id,
        "project_id": asker.project_id,
        "tenant_id": asker.project_id,
        "tenant": asker.project_id,
        "timestamp": _timestamp(notification.at),
        "read_only": False,
        "show_deleted": False,
    }


def _timestamp(at: str) -> str:
    """``2026-01-01T00:00:00Z`` as Python writes a time."""
    return f"{at[:10]} {at[11:19]}.000000"
