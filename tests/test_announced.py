"""What is announced of what a driver can do."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DnsSettings, Settings
from quantumd.l2.drivers.linuxbridge.driver import LinuxBridgeDriver
from quantumd.l2.drivers.ovs.driver import OvsDriver
from quantumd.server import announced

NAMES = "dns-integration"


class AnnouncedTests(SynchronousTestCase):
    """Names are announced where they are answered."""

    def test_names(self) -> None:
        """By hosts with Open vSwitch, if the settings switch that on; all else does not depend on it."""
        off, on = Settings(), evolve(Settings(), dns=DnsSettings(enabled=True))
        capabilities = OvsDriver.capabilities
        self.assertEqual(announced(capabilities, on) - announced(capabilities, off), {NAMES})
        self.assertNotIn(NAMES, announced(LinuxBridgeDriver.capabilities, on))
