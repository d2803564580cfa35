"""Ports: pure rules."""

from __future__ import annotations

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.port import automatic_choices, dhcp_device_id, is_host_content, reachable, serving


@frozen
class Source:
    """A subnet as far as the choice looks at it."""

    name: str
    ip_version: int
    is_auto_address: bool = False
    service_types: tuple[str, ...] = ()
    segment_id: str | None = None


class PortTests(SynchronousTestCase):
    """Automatic addresses and what hosts hear of."""

    def test_one_address_of_each_version(self) -> None:
        """Subnets of a version stand in for each other, oldest first."""
        first, second, third = Source("a", 6), Source("b", 4), Source("c", 4)
        self.assertEqual(automatic_choices((first, second, third)), ((second, third), (first,)))

    def test_no_subnet_no_address(self) -> None:
        """A network without subnets gives its ports no address."""
        self.assertEqual(automatic_choices(()), ())

    def test_computed_addresses_are_not_chosen(self) -> None:
        """A subnet whose ports compute their addresses gives none."""
        self.assertEqual(automatic_choices((Source("a", 6, is_auto_address=True),)), ())

    def test_a_subnet_for_an_owner_comes_first(self) -> None:
        """Subnets with service types are for ports of these owners only, and those take no other while they last."""
        anybodys, theirs, others = Source("a", 4), Source("b", 4, service_types=("x:y",)), Source("c", 4, False, ("z",))
        self.assertEqual(serving((anybodys, theirs, others), "x:y"), (theirs, anybodys))

    def test_a_host_reaches_the_subnets_of_its_segments(self) -> None:
        """A subnet of no segment is everywhere."""
        here, there, everywhere = Source("a", 4, segment_id="s1"), Source("b", 4, segment_id="s2"), Source("c", 4)
        self.assertEqual(reachable((here, there, everywhere), {"s1"}), (here, everywhere))

    def test_rename_is_no_news_for_hosts(self) -> None:
        """Addresses, MAC, state, owner and host are."""
        self.assertFalse(is_host_content({"name", "description", "device_id", "status", "profile"}))
        self.assertTrue(is_host_content({"host_id"}))

    def test_device_id_of_a_dhcp_port_names_its_network(self) -> None:
        """It fits the column."""
        self.assertLessEqual(len(dhcp_device_id("x" * 36)), 255)
