"""Imported by the client environment's Python: tests of openstacksdk that are broken by themselves, mended.

They are the tests that ``allowed_sdk.txt`` calls broken, without what breaks them and with nothing else changed.
"""

from __future__ import annotations

from typing import Any

from openstack.tests.functional.network.v2 import (  # type: ignore[import-not-found]
    test_local_ip,
    test_local_ip_association,
    test_network_segment_range,
    test_segment,
)


class SegmentTest(test_segment.TestSegment):  # type: ignore[misc]
    """They look for the network's segment only if this is set, and nothing sets it."""

    SEGMENT_EXTENSION = True


class NetworkSegmentRangeTest(test_network_segment_range.TestNetworkSegmentRange):  # type: ignore[misc]
    """They send what may not be sent, for a physical network that is not there, and leave the range behind."""

    PHYSICAL_NETWORK = "public"

    def _set_operator_cloud(self, **kwargs: Any) -> None:
        super()._set_operator_cloud(**kwargs)
        network = self.operator_cloud.network
        create = network.create_network_segment_range

        def create_and_remove(default: bool, **sent: Any) -> Any:
            made = create(**sent)
            self.addCleanup(network.delete_network_segment_range, made.id, ignore_missing=True)
            return made

        network.create_network_segment_range = create_and_remove

    def test_update(self) -> None:
        """Theirs updates a segment of that id."""
        network = self.operator_cloud.network
        changed = network.update_network_segment_range(self.NETWORK_SEGMENT_RANGE_ID, name="update_test_name")
        self.assertEqual("update_test_name", changed.name)


class LocalIPTest(test_local_ip.TestLocalIP):  # type: ignore[misc]
    """They name neither a network nor a port."""

    def _set_user_cloud(self, **kwargs: Any) -> None:
        super()._set_user_cloud(**kwargs)
        network = self.user_cloud.network
        network_id = _make_network(self)
        create = network.create_local_ip
        network.create_local_ip = lambda **sent: create(network_id=network_id, **sent)


class LocalIPAssociationTest(test_local_ip_association.TestLocalIPAssociation):  # type: ignore[misc]
    """They send ids and addresses of nothing."""

    def setUp(self) -> None:
        """Associate what is there."""
        super(test_local_ip_association.TestLocalIPAssociation, self).setUp()
        network = self.user_cloud.network
        network_id = _make_network(self)
        port = network.create_port(network_id=network_id)
        self.addCleanup(network.delete_port, port)
        local = network.create_local_ip(network_id=network_id)
        self.addCleanup(network.delete_local_ip, local)
        self.LOCAL_IP_ID, self.FIXED_PORT_ID = local.id, port.id
        self.FIXED_IP = port.fixed_ips[0]["ip_address"]
        made = network.create_local_ip_association(
            local_ip=self.LOCAL_IP_ID, fixed_port_id=self.FIXED_PORT_ID, fixed_ip=self.FIXED_IP
        )
        self.assertEqual(self.LOCAL_IP_ID, made.local_ip_id)
        self.assertEqual(self.FIXED_PORT_ID, made.fixed_port_id)
        self.assertEqual(self.FIXED_IP, made.fixed_ip)


def _make_network(test: Any) -> str:
    network = test.user_cloud.network
    made = network.create_network(name=test.getUniqueString())
    test.addCleanup(network.delete_network, made)
    network.create_subnet(network_id=made.id, ip_version=4, cidr="192.0.2.0/24")
    return str(made.id)
