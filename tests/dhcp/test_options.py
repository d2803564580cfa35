"""What clients are told."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_ip
from quantumd.dhcp.message import Code
from quantumd.dhcp.options import Lease, Told, lease_options, network_options
from quantumd.model.records import DhcpNetworkRecord, DhcpSubnet, HostRoute
from quantumd.model.services import MOST_DNS
from tests.dhcp.client import NETWORK, SUBNET, TWO_SUBNETS

SETTINGS = DhcpSettings(lease_seconds=1000, domain="cloud.example", dns_servers=("10.53.0.1",))
DEFAULT_ROUTE = b"\x00" + pack_ip("10.0.0.1")


def told(subnet: DhcpSubnet = SUBNET, network: DhcpNetworkRecord = NETWORK, wanted: bytes = b"") -> dict[int, bytes]:
    """Return what a client with 10.0.0.5 is told."""
    return dict(network_options(Lease(pack_ip("10.0.0.5"), subnet, network), SETTINGS, wanted))


class LeaseTests(SynchronousTestCase):
    """Times."""

    def test_renewal_and_rebinding_are_parts_of_the_lease(self) -> None:
        """T1 is half of it, T2 seven eighths (RFC 2131 4.4.5)."""
        times = {code: int.from_bytes(value, "big") for code, value in lease_options(SETTINGS)}
        self.assertEqual(times, {51: 1000, 58: 500, 59: 875})


class NetworkTests(SynchronousTestCase):
    """Everything else."""

    def test_the_network_is_described(self) -> None:
        """Mask, broadcast address, router, DNS, domain, host name and MTU."""
        options = told()
        self.assertEqual(options[Code.SUBNET_MASK], pack_ip("255.255.255.0"))
        self.assertEqual(options[Code.BROADCAST], pack_ip("10.0.0.255"))
        self.assertEqual(options[Code.ROUTER], pack_ip("10.0.0.1"))
        self.assertEqual(options[Code.DNS], pack_ip("9.9.9.9") + pack_ip("1.1.1.1"))
        self.assertEqual(options[Code.DOMAIN_NAME], b"cloud.example")
        self.assertEqual(options[Code.HOST_NAME], b"host-10-0-0-5")
        self.assertEqual(options[Code.MTU], (1442).to_bytes(2, "big"))

    def test_the_mask_comes_before_the_router(self) -> None:
        """RFC 2132 3.3: a client may read them in order."""
        codes = list(told())
        self.assertLess(codes.index(Code.SUBNET_MASK), codes.index(Code.ROUTER))

    def test_routes_hold_the_default_route_too(self) -> None:
        """RFC 3442: who knows option 121 ignores the router option."""
        self.assertEqual(told()[121], b"\x10\x0a\x08" + pack_ip("10.0.0.9") + DEFAULT_ROUTE)

    def test_destinations_take_as_many_bytes_as_they_need(self) -> None:
        """RFC 3442: /9 takes two bytes, /32 four."""
        routes = (HostRoute("10.128.0.0/9", "10.0.0.9"), HostRoute("169.254.169.254/32", "10.0.0.2"))
        expected = b"\x09\x0a\x80" + pack_ip("10.0.0.9") + b"\x20" + pack_ip("169.254.169.254") + pack_ip("10.0.0.2")
        self.assertEqual(told(evolve(SUBNET, host_routes=routes))[121], expected + DEFAULT_ROUTE)

    def test_the_networks_other_subnets_are_on_the_link(self) -> None:
        """No hop for what the network itself carries."""
        on_link = b"\x19" + pack_ip("192.168.7.0") + bytes(4)
        self.assertTrue(told(network=TWO_SUBNETS)[121].startswith(on_link))

    def test_microsofts_number_is_kept_for_who_wants_it(self) -> None:
        """Option 249 says the same as 121."""
        self.assertNotIn(249, told(wanted=b"\x01\x79"))
        options = told(wanted=b"\x01\xf9")
        self.assertEqual(options[249], options[121])

    def test_without_a_gateway_there_is_no_router(self) -> None:
        """And no default route."""
        options = told(evolve(SUBNET, gateway_ip=None, host_routes=()))
        self.assertEqual({3, 121} & set(options), set())

    def test_a_default_host_route_stands_in_for_a_gateway(self) -> None:
        """As Neutron does."""
        options = told(evolve(SUBNET, gateway_ip=None, host_routes=(HostRoute("0.0.0.0/0", "10.0.0.7"),)))
        self.assertEqual((options[3], options[121]), (pack_ip("10.0.0.7"), b"\x00" + pack_ip("10.0.0.7")))

    def test_the_gateway_goes_before_a_default_host_route(self) -> None:
        """One default route, the subnet's own."""
        options = told(evolve(SUBNET, host_routes=(HostRoute("0.0.0.0/0", "10.0.0.7"),)))
        self.assertEqual((options[3], options[121]), (pack_ip("10.0.0.1"), DEFAULT_ROUTE))

    def test_a_port_is_not_sent_through_itself(self) -> None:
        """A VM that is the gateway gets no default route, nor routes over its own address."""
        routes = (HostRoute("10.8.0.0/16", "10.0.0.5"),)
        options = told(evolve(SUBNET, gateway_ip="10.0.0.5", host_routes=routes))
        self.assertEqual({3, 121} & set(options), set())

    def test_subnets_without_dns_get_the_hosts(self) -> None:
        """The setting serves who names none."""
        self.assertEqual(told(evolve(SUBNET, dns_nameservers=()))[6], pack_ip("10.53.0.1"))

    def test_a_network_with_a_dns_server_of_its_own(self) -> None:
        """Is told of it where the subnet names none; so many subnets have one, and the others get the host's."""
        bare = evolve(SUBNET, dns_nameservers=())
        subnets = tuple(evolve(bare, id=f"s{n}", server_address=f"10.0.{n}.2") for n in range(MOST_DNS + 1))
        network = evolve(NETWORK, subnets=subnets)
        served = [self._dns(each, network) for each in subnets]
        expected = [*(f"10.0.{n}.2" for n in range(MOST_DNS)), "10.53.0.1"]
        self.assertEqual(served, [pack_ip(each) for each in expected])
        self.assertEqual(self._dns(SUBNET, network), pack_ip("9.9.9.9") + pack_ip("1.1.1.1"))

    def _dns(self, subnet: DhcpSubnet, network: DhcpNetworkRecord) -> bytes:
        lease = Lease(pack_ip("10.0.0.5"), subnet, network)
        return dict(network_options(lease, SETTINGS, b"", Told(dns=True)))[Code.DNS]

    def test_no_dns_can_be_asked_for(self) -> None:
        """0.0.0.0 as the only server says: none, not even the setting's."""
        self.assertNotIn(6, told(evolve(SUBNET, dns_nameservers=("0.0.0.0",))))
