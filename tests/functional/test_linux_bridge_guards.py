"""Security groups and port security on Linux bridges: the same tables and attacks as on Open vSwitch. Needs root."""

from __future__ import annotations

from tests.bed.bridges import BridgedCase
from tests.functional import test_port_security as port_security
from tests.functional import test_security_groups as groups


class TableTests(BridgedCase, groups.TableTests):
    """Every row of the table that all drivers keep."""


class ReachTests(BridgedCase, groups.ReachTests):
    """Who reaches whom."""


class RevocationTests(BridgedCase, groups.RevocationTests):
    """What ends when a rule goes."""


class SpoofingTests(BridgedCase, port_security.SpoofingTests):
    """What a port says it is."""
