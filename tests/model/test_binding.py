"""Bindings."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.binding import Binding, HostVif, bind

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
        with_vxlan = HostVif("ovs", "{}", frozenset({"vxlan"}))
        found = [bind("h1", "normal", with_vxlan, each).vif_type for each in ("vlan", "local", "vxlan", "gre")]
        self.assertEqual(found, ["ovs", "ovs", "ovs", "binding_failed"])
