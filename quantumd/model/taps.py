"""Taps: ports that get copies of what other ports send and get."""

from __future__ import annotations

IN, OUT, BOTH = "IN", "OUT", "BOTH"
"""What is copied: what the port gets, what it sends, or both."""

DIRECTIONS = (IN, OUT, BOTH)
LAST_NUMBER = (1 << 24) - 1
"""Numbers of tap services travel as ids of tunnels."""
