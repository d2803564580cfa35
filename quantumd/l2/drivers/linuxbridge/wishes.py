"""What each key asks for, of filters, entries and devices."""

from __future__ import annotations

from attrs import define

from quantumd.converge.plan import Key
from quantumd.l2.drivers.linuxbridge import devices
from quantumd.l2.drivers.linuxbridge.desired import NONE, Objects, mark_text
from quantumd.l2.drivers.linuxbridge.devices import Devices
from quantumd.l2.drivers.linuxbridge.features import base, firewall, networks, ports
from quantumd.l2.drivers.linuxbridge.names import tap_of
from quantumd.l2.drivers.linuxbridge.view import HostView
from quantumd.l2.drivers.ovs.policies import POLICY, SET
from quantumd.l2.drivers.ovs.remote import REMOTE_PORT

BASE: Key = ("bridge", "quantumd")
"""The key of what is there before any port is."""
DEVICE = "device"
"""The noun of keys of devices that are called as those of ports are, whoever they are."""

_NO_DEVICES = Devices()


@define(eq=False)
class Wishes:
    """Looks at records and devices by the view."""

    _view: HostView

    def objects(self, key: Key) -> Objects:
        """Return the filters and entries that a key asks for."""
        noun, name = key
        if key == BASE:
            return base.bridge_objects(mark_text(self._view.open_mark))
        if noun == "port":
            port = self._view.port(name)
            return ports.port_objects(port) if port is not None else NONE
        if noun == DEVICE:
            return ports.closed_objects(name) if self._is_to_be_closed(name) else NONE
        if noun == "network":
            network = self._view.network(name)
            return networks.network_objects(network) if network is not None else NONE
        if noun == REMOTE_PORT:
            remote = self._view.remote_port(name)
            return networks.remote_port_objects(remote) if remote is not None else NONE
        return self._guards(noun, name)

    def _is_to_be_closed(self, tap: str) -> bool:
        """Whether a device is in a bridge of a network, and no port of it that may send."""
        link = self._view.links.links().get(tap)
        return link is not None and devices.is_in_ours(link) and self._view.port(self._view.port_at(tap)) is None

    def _guards(self, noun: str, name: str) -> Objects:
        policies = self._view.policies
        if noun == POLICY:
            policy = policies.policy(name)
            if policy is None:
                return NONE
            stateful = policies.is_stateful_policy(name)
            return firewall.policy_objects(policy.number, policy.rules, policy.set_numbers, stateful)
        named = policies.set(name) if noun == SET else None
        return firewall.set_objects(named.number, policies.addresses_in(name)) if named is not None else NONE

    def devices(self, key: Key) -> Devices:
        """Return what has to be done to the devices of a key."""
        noun, name = key
        links = self._view.links.links()
        if noun == "port":
            return devices.of_port(name, self._view.port(name), links, tap_of(name))
        if noun == "network":
            return devices.of_network(name, self._view.network(name), links, self._view.exits.tunnel_ip)
        return _NO_DEVICES
