"""QoS policies and rules, quotas, agents, flavors and automatic topologies."""

from __future__ import annotations
