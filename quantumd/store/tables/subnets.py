"""Subnet pools and address scopes."""

from __future__ import annotations
