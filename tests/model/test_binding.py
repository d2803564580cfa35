"""Bindings."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.binding import Binding, HostVif, bind
from quantumd.model.carrying import Reach
from quantumd.model.network import Segment

VIF = HostVif("ovs", '{"bridge_name": "br-int"}')


class BindingTests(SynchronousTestCase):
    """What a port answers about its host."""

    def test_no_host_is_unbound(self) -> None:
        """A port that nobody placed is unbound."""
        self.assertEqual(bind("", "normal", None), Binding("unbound"))

    def test_unknown_host_fails(self) -> None:
        """A host that never reported cannot have ports."""
        self.assertEqual(bind("nowhere", "normal", None), Binding("binding_failed"))

    def test_known_host_answers_how_it_plugs(self) -> None:
        """Type and details are the host's."""
        self.assertEqual(bind("h1", "normal", VIF), Binding("ovs", VIF.vif_details))

    def test_hardware_vnics_fail(self) -> None:
        """No host of quantumd plugs them."""
        self.assertEqual(bind("h1", "direct", VIF), Binding("binding_failed"))

    def test_a_tunnelled_network_needs_a_host_with_such_tunnels(self) -> None:
        """Every other network needs none."""
        with_vxlan = HostVif("ovs", "{}", Reach(frozenset({"vxlan"})))
        tunnels = [(Segment(each, None, 1),) for each in ("vxlan", "gre")]
        found = [bind("h1", "normal", with_vxlan, each).vif_type for each in ((Segment("local"),), *tunnels)]
        self.assertEqual(found, ["ovs", "ovs", "binding_failed"])

    def test_one_of_several_segments_is_enough(self) -> None:
        """Of a network that has them."""
        vlan, vxlan = Segment("vlan", "physnet1", 5), Segment("vxlan", None, 5)
        without = HostVif("ovs", "{}", Reach(physical_networks=frozenset({"physnet2"})))
        found = [
            bind("h1", "normal", vif, segments).vif_type
            for vif in (without, evolve(without, reach=Reach(frozenset({"vxlan"}), frozenset())))
            for segments in ((vlan,), (vlan, vxlan))
        ]
        self.assertEqual(found, ["binding_failed", "binding_failed", "binding_failed", "ovs"])
