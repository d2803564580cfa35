"""What changed, told to other services as oslo.messaging's notifications: Ceilometer and others read them."""

from typing import Final

CURSOR: Final = "notifications"
"""The name of this consumer's cursor in the journal."""
