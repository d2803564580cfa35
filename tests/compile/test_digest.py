"""Digests: what differs, and what does not though versions of the program do."""

from __future__ import annotations

from hashlib import blake2b

from attrs import astuple, evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.compile.digest import digest_record
from quantumd.model.delegation import Delegation
from quantumd.model.records import FixedIp, NetworkRecord, PortRecord
from quantumd.model.router_records import (
    ForwardedPorts,
    LinkNeighbours,
    LinkScope,
    RouterGateway,
    RouterLink,
    RouterRecord,
)

PORT = PortRecord("p", 5, "n", "fa:16:3e:00:00:01", (FixedIp("s", "10.0.0.5"),), True, "compute:nova")


NETWORK = NetworkRecord("n", 5, "vxlan", None, 7, 1450, True, None, ())


class OlderHostTests(SynchronousTestCase):
    """Hosts of before trunks, of before networks that pass tags, of before port forwardings and of before gateways."""

    def test_ports_that_are_in_no_trunk_have_the_digest_that_they_had(self) -> None:
        """Or every host that is older would fetch all of its ports anew each time that it compares."""
        text = f"l2.port{astuple(PORT, recurse=True)[:10]!r}"
        self.assertEqual(digest_record(PORT), blake2b(text.encode(), digest_size=10).hexdigest())

    def test_a_sub_port_differs_by_parent_and_tag(self) -> None:
        """Either."""
        sub = evolve(PORT, parent_id="q", segmentation_id=7)
        others = (PORT, sub, evolve(sub, segmentation_id=8), evolve(sub, parent_id="r"))
        self.assertEqual(len({digest_record(each) for each in others}), 4)

    def test_networks_that_pass_no_tags_have_the_digest_that_they_had(self) -> None:
        """With a QoS policy, which hosts know longer than tags, and without; a network that passes them differs."""
        for network, known in ((NETWORK, 9), (evolve(NETWORK, qos_policy="q"), 10)):
            text = f"l2.network{astuple(network, recurse=True)[:known]!r}"
            self.assertEqual(digest_record(network), blake2b(text.encode(), digest_size=10).hexdigest())
            self.assertNotEqual(digest_record(evolve(network, vlan_transparent=True)), digest_record(network))

    def test_routers_that_forward_no_ports_and_ask_for_no_prefixes_have_the_digest_that_they_had(self) -> None:
        """One that does differs."""
        router = RouterRecord("r", 0, True, ())
        text = f"l3.router{astuple(router, recurse=True)[:9]!r}"
        self.assertEqual(digest_record(router), blake2b(text.encode(), digest_size=10).hexdigest())
        forwarded = (ForwardedPorts("203.0.113.5", "tcp", 80, 80, "10.0.0.5", 80, 80),)
        self.assertNotEqual(digest_record(evolve(router, forwarded=forwarded)), digest_record(router))

    def test_routers_of_one_gateway_and_no_scope_have_the_digest_that_they_had(self) -> None:
        """With port forwardings, which hosts know longer; each of the others differs."""
        forwarded = (ForwardedPorts("203.0.113.5", "tcp", 80, 80, "10.0.0.5", 80, 80),)
        router = RouterRecord("r", 0, True, (), forwarded=forwarded)
        text = f"l3.router{astuple(router, recurse=True)[:10]!r}"
        self.assertEqual(digest_record(router), blake2b(text.encode(), digest_size=10).hexdigest())
        second = RouterGateway(RouterLink("p", "n", "fa:16:3e:00:00:01", 1500, ("198.51.100.2/24",)), 2)
        others = (
            router, evolve(router, gateway_number=2), evolve(router, more_gateways=(second,)),
            evolve(router, enable_default_route_ecmp=True), evolve(router, scopes=(LinkScope("p", "s"),)),
            evolve(router, delegations=(Delegation("s"),)), evolve(router, beside=(LinkNeighbours("p", ("::/64",)),)),
        )  # fmt: skip
        self.assertEqual(len({digest_record(each) for each in others}), 7)
