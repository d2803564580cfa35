"""Ports: pure rules."""

from __future__ import annotations

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.port import automatic_choices, dhcp_device_id, is_host_content


@frozen
class Source:
    """A subnet as far as the choice looks at it."""

    name: str
    ip_version: int


class PortTests(SynchronousTestCase):
    """Automatic addresses and what hosts hear of."""

    def test_one_address_of_each_version(self) -> None:
        """Subnets of a version stand in for each other, oldest first."""
        first, second, third = Source("a", 6), Source("b", 4), Source("c", 4)
        self.assertEqual(automatic_choices((first, second, third)), ((second, third), (first,)))

    def test_no_subnet_no_address(self) -> None:
        """A network without subnets gives its ports no address."""
        self.assertEqual(automatic_choices(()), ())

    def test_rename_is_no_news_for_hosts(self) -> None:
        """Addresses, MAC, state, owner and host are."""
        self.assertFalse(is_host_content({"name", "description", "device_id", "status", "profile"}))
        self.assertTrue(is_host_content({"host_id"}))

    def test_device_id_of_a_dhcp_port_names_its_network(self) -> None:
        """It fits the column."""
        self.assertLessEqual(len(dhcp_device_id("x" * 36)), 255)
