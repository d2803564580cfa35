"""Every command of the unmodified ``openstack`` client that has a resource here, and what it shows."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.client_walk import Step, Walk, Walker
from tests.bed.keystone import Project, missing_keystone, the_keystone
from tests.bed.openstack_client import OpenStackClient, missing_client
from tests.functional.walks import networks, ports, projects, routers, security, services, subnets, taps

MODULES = (networks, ports, projects, routers, security, services, subnets, taps)

NOT_WALKED = {
    "bgp": "another project's service",
    "firewall": "another project's service",
    "vpn": "another project's service",
    "network agent router set": "of OVN's agents",
    # Version 4.22 of the SDK puts them under another name than neutron-lib's and today's servers'.
    "security group default statefulness": "the client's mistake",
}
"""Commands of the client by how they begin, and why no walk has them."""

SETTINGS = {
    "api.preview": "true",
    "l2.bridge_mappings": '["physnet1:br-ex"]',
    "network.vlan_ranges": '["physnet1:100:199"]',
    # With the default domain no port keeps a name, as today.
    "network.dns_domain": '"cloud.example."',
}


class WalkTests(SynchronousTestCase):
    """One quantumd with everything in preview; the walks leave nothing behind, so they may go in any order."""

    skip = missing_client()
    appliance: ClassVar[Appliance]
    openstack: ClassVar[OpenStackClient]

    @classmethod
    def setUpClass(cls) -> None:
        """Start both."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        folder = tempfile.TemporaryDirectory(prefix="quantumd-walk-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.appliance = Appliance(Path(folder.name), settings=SETTINGS)
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.appliance.start()
        cls.openstack = OpenStackClient(cls.appliance.url)
        cls.addClassCleanup(lambda: cls.openstack.close())
        cls.openstack.start()

    def walk(self, steps: Walk) -> None:
        """Nothing goes wrong on the way."""
        wrong = Walker(self.openstack).walk(steps)
        self.assertFalse(wrong, "\n".join(wrong))

    def test_networks(self) -> None:
        """Networks: every option, filter and column."""
        self.walk(networks.NETWORKS)

    def test_segments(self) -> None:
        """Segments of networks."""
        self.walk(networks.SEGMENTS)

    def test_segment_ranges(self) -> None:
        """Ranges of segments."""
        self.walk(networks.RANGES)

    def test_agents_and_zones(self) -> None:
        """Agents, the networks on them, and their zones."""
        self.walk(networks.PLACES)

    def test_subnets(self) -> None:
        """Subnets and how full they are."""
        self.walk(subnets.SUBNETS)

    def test_subnet_pools(self) -> None:
        """Address scopes and subnet pools."""
        self.walk(subnets.POOLS)

    def test_ports(self) -> None:
        """Ports: every option, filter and column."""
        self.walk(ports.PORTS)

    def test_trunks(self) -> None:
        """Trunks and their subports."""
        self.walk(ports.TRUNKS)

    def test_local_ips(self) -> None:
        """Local IPs and who answers them."""
        self.walk(ports.LOCAL_IPS)

    def test_routers(self) -> None:
        """Routers, what they stand in and where they lead."""
        self.walk(routers.ROUTERS)

    def test_gateways_of_routers(self) -> None:
        """Several of them, and default routes over all."""
        self.walk(routers.GATEWAYS)

    def test_floating_ips(self) -> None:
        """Floating IPs."""
        self.walk(routers.FLOATING)

    def test_port_forwardings(self) -> None:
        """Ports of floating IPs, and where they lead."""
        self.walk(routers.FORWARDED)

    def test_ndp_proxies(self) -> None:
        """Who is answered for outside."""
        self.walk(routers.PROXIED)

    def test_conntrack_helpers(self) -> None:
        """Which ports are listened to."""
        self.walk(routers.HELPED)

    def test_flavors_of_routers(self) -> None:
        """Of the one provider that there is."""
        self.walk(routers.FLAVORED)

    def test_metering(self) -> None:
        """What is counted together."""
        self.walk(routers.METERED)

    def test_agents_of_routers(self) -> None:
        """Which agent carries which router."""
        self.walk(routers.AGENTS)

    def test_taps(self) -> None:
        """Services that listen, and flows to them."""
        self.walk(taps.TAPS)

    def test_tap_mirrors(self) -> None:
        """Copies to addresses outside."""
        self.walk(taps.MIRRORS)

    def test_security_groups(self) -> None:
        """Security groups, rules and address groups."""
        self.walk(security.GROUPS)

    def test_default_rules(self) -> None:
        """What new groups are made of."""
        self.walk(security.TEMPLATES)

    def test_qos(self) -> None:
        """QoS policies and rules."""
        self.walk(services.QOS)

    def test_grants(self) -> None:
        """RBAC policies of every kind of object."""
        self.walk(services.GRANTS)

    def test_flavors(self) -> None:
        """Flavors and their profiles."""
        self.walk(services.FLAVORS)

    def test_every_command_is_walked(self) -> None:
        """That the client has for what is served here."""
        listed = self.openstack("command", "list", "--group", "openstack.network.v2")
        commands = {name for each in listed for name in each["Commands"]}
        typed = [step.command for module in MODULES for step in _steps(module)]
        left = {
            name
            for name in commands
            if not name.startswith(tuple(NOT_WALKED)) and not any(each.startswith(name) for each in typed)
        }
        self.assertEqual(sorted(left), [])


def _steps(module: ModuleType) -> Iterator[Step]:
    for value in vars(module).values():
        if isinstance(value, tuple):
            yield from (each for each in value if isinstance(each, Step))


class ProjectWalkTests(SynchronousTestCase):
    """The caller is a real user of a Keystone, and acts for another project too."""

    skip = missing_client() or missing_keystone()
    appliance: ClassVar[Appliance]
    openstack: ClassVar[OpenStackClient]
    projects: ClassVar[dict[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        """Start both, and make the project."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        keystone = the_keystone()
        folder = tempfile.TemporaryDirectory(prefix="quantumd-walk-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        home = Path(folder.name)
        service = keystone.make_user("service")
        asked = keystone.settings(service, home / "password")
        cls.appliance = Appliance(home / "quantumd", settings={**SETTINGS, **asked})
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.appliance.start("/readyz")
        keystone.publish(cls.appliance.url)
        admin = keystone.admin.project or Project("", "")
        cls.projects = {"walker": keystone.make_project("walker").id, "admin": admin.id}
        cls.openstack = OpenStackClient(cls.appliance.url, keystone.login(keystone.admin))
        cls.addClassCleanup(lambda: cls.openstack.close())
        cls.openstack.start()

    def walk(self, steps: Walk) -> None:
        """Nothing goes wrong on the way."""
        wrong = Walker(self.openstack, dict(self.projects)).walk(steps)
        self.assertFalse(wrong, "\n".join(wrong))

    def test_what_is_made_for_a_project_is_the_project_s(self) -> None:
        """Of every kind that belongs to one, and lists find it by its project."""
        self.walk(projects.PROJECTS)

    def test_grants_to_a_project(self) -> None:
        """What is shared is shared with whom it is."""
        self.walk(projects.GRANTS)

    def test_quotas(self) -> None:
        """Limits are set, shown, kept and taken back."""
        self.walk(projects.QUOTAS)

    def test_automatic_topology(self) -> None:
        """It can be validated; without routers it is not made."""
        self.walk(projects.TOPOLOGY)
