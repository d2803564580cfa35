"""Security groups and their rules, address groups, and logging."""

from __future__ import annotations
