"""The responder: every row of RFC 2131's tables, and who is not answered."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import EVERY_MAC, pack_ip, pack_mac
from quantumd.dhcp.message import MessageType
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder import Answer, answer
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, DhcpSubnet, FixedIp
from tests.dhcp.client import (
    MAC,
    NETWORK,
    PORT,
    SERVER_MAC,
    SUBNET,
    TWO_ADDRESSES,
    TWO_SUBNETS,
    frame_of,
    read,
    request_payload,
)

SETTINGS = DhcpSettings(lease_seconds=3600)
DISCOVER, OFFER, REQUEST, DECLINE = (
    MessageType.DISCOVER,
    MessageType.OFFER,
    MessageType.REQUEST,
    MessageType.DECLINE,
)
ACK, NAK, RELEASE, INFORM = MessageType.ACK, MessageType.NAK, MessageType.RELEASE, MessageType.INFORM
ASKED, SERVER = 50, 54


def ask(frame: bytes, port: DhcpPortRecord = PORT, network: DhcpNetworkRecord = NETWORK) -> Answer:
    """Give a frame to the responder."""
    return answer(frame, port, network, SETTINGS)


def option(code: int, address: str) -> tuple[int, bytes]:
    """An option that is an address."""
    return (code, pack_ip(address))


class DiscoverTests(SynchronousTestCase):
    """A client that looks for a server."""

    def test_is_offered_its_address(self) -> None:
        """The offer names the port's address, the server and the lease."""
        answered = ask(frame_of(request_payload(DISCOVER)))
        reply = read(answered.frame)
        self.assertEqual((answered.asked, answered.answered), (DISCOVER, OFFER))
        self.assertEqual(reply.message.yiaddr, pack_ip("10.0.0.5"))
        self.assertEqual(reply.message.xid, 0x01020304)
        self.assertEqual(reply.option(54), pack_ip("10.0.0.2"))
        self.assertEqual(reply.option(51), (3600).to_bytes(4, "big"))

    def test_without_broadcast_flag_the_offer_goes_to_the_client_alone(self) -> None:
        """Unicast to chaddr and yiaddr (RFC 2131 4.1)."""
        datagram = read(ask(frame_of(request_payload(DISCOVER))).frame).datagram
        self.assertEqual(
            (datagram.target_mac, datagram.target_ip, datagram.target_port), (pack_mac(MAC), pack_ip("10.0.0.5"), 68)
        )
        self.assertEqual(
            (datagram.source_mac, datagram.source_ip, datagram.source_port),
            (pack_mac(SERVER_MAC), pack_ip("10.0.0.2"), 67),
        )

    def test_with_broadcast_flag_the_offer_goes_to_everyone(self) -> None:
        """A client that cannot take unicast yet says so."""
        reply = read(ask(frame_of(request_payload(DISCOVER, flags=0x8000))).frame)
        self.assertEqual(reply.datagram.target_mac, EVERY_MAC)
        self.assertEqual(reply.datagram.target_ip, b"\xff" * 4)
        self.assertEqual(reply.message.flags, 0x8000)

    def test_a_foreign_wish_gets_the_own_address(self) -> None:
        """Asking for another's address is no reason not to offer one's own."""
        reply = read(ask(frame_of(request_payload(DISCOVER, [option(ASKED, "10.0.0.77")]))).frame)
        self.assertEqual(reply.message.yiaddr, pack_ip("10.0.0.5"))

    def test_the_ports_order_decides_between_subnets(self) -> None:
        """The first served address is offered by default."""
        reply = read(ask(frame_of(request_payload(DISCOVER)), TWO_ADDRESSES, TWO_SUBNETS).frame)
        self.assertEqual(reply.message.yiaddr, pack_ip("192.168.7.5"))
        self.assertEqual(reply.option(54), pack_ip("192.168.7.2"))

    def test_a_wish_decides_between_subnets(self) -> None:
        """A client may choose among its own addresses."""
        frame = frame_of(request_payload(DISCOVER, [option(ASKED, "10.0.0.5")]))
        reply = read(ask(frame, TWO_ADDRESSES, TWO_SUBNETS).frame)
        self.assertEqual(reply.message.yiaddr, pack_ip("10.0.0.5"))
        self.assertEqual(reply.option(54), pack_ip("10.0.0.2"))

    def test_addresses_on_other_subnets_are_passed_over(self) -> None:
        """The first address on a subnet with DHCP is taken."""
        reply = read(ask(frame_of(request_payload(DISCOVER)), TWO_ADDRESSES, NETWORK).frame)
        self.assertEqual(reply.message.yiaddr, pack_ip("10.0.0.5"))

    def test_a_port_without_a_served_address_hears_nothing(self) -> None:
        """No address, no offer."""
        answered = ask(frame_of(request_payload(DISCOVER)), evolve(PORT, fixed_ips=()))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.NOT_SERVED))

    def test_a_network_without_subnets_is_silent(self) -> None:
        """Nothing to serve."""
        answered = ask(
            frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.5")])), PORT, evolve(NETWORK, subnets=())
        )
        self.assertEqual((answered.frame, answered.reason), (None, Reason.NOT_SERVED))

    def test_the_clients_id_is_given_back(self) -> None:
        """RFC 6842: clients that share a MAC tell replies apart by it."""
        reply = read(ask(frame_of(request_payload(DISCOVER, [(61, b"\x01" + pack_mac(MAC))]))).frame)
        self.assertEqual(reply.option(61), b"\x01" + pack_mac(MAC))

    def test_an_offer_repeats_no_address_that_the_client_claims(self) -> None:
        """ciaddr of an offer is zero (RFC 2131, table 3)."""
        reply = read(ask(frame_of(request_payload(DISCOVER, ciaddr="10.0.0.99"))).frame)
        self.assertEqual((reply.message.ciaddr, reply.datagram.target_ip), (bytes(4), pack_ip("10.0.0.5")))

    def test_reply_is_never_shorter_than_bootp(self) -> None:
        """Some clients drop what is shorter than 300 bytes (RFC 1542)."""
        bare = evolve(NETWORK, subnets=(evolve(SUBNET, gateway_ip=None, dns_nameservers=(), host_routes=()),))
        refused = ask(frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.77")])), PORT, bare)
        self.assertEqual(len(read(refused.frame).datagram.payload), 300)


class SelectingTests(SynchronousTestCase):
    """A REQUEST that names a server: the answer to an offer."""

    def test_the_offered_address_is_acknowledged(self) -> None:
        """DISCOVER, OFFER, REQUEST, ACK."""
        frame = frame_of(request_payload(REQUEST, [option(SERVER, "10.0.0.2"), option(ASKED, "10.0.0.5")]))
        answered = ask(frame)
        self.assertEqual((answered.answered, answered.address), (ACK, pack_ip("10.0.0.5")))
        self.assertEqual(read(answered.frame).message.yiaddr, pack_ip("10.0.0.5"))

    def test_the_choice_of_another_server_is_respected(self) -> None:
        """Silence: the client took another offer."""
        frame = frame_of(request_payload(REQUEST, [option(SERVER, "10.0.0.3"), option(ASKED, "10.0.0.5")]))
        answered = ask(frame)
        self.assertEqual((answered.frame, answered.reason), (None, Reason.OTHER_SERVER))

    def test_another_address_is_refused(self) -> None:
        """An address that was not offered."""
        frame = frame_of(request_payload(REQUEST, [option(SERVER, "10.0.0.2"), option(ASKED, "10.0.0.6")]))
        self.assertEqual(ask(frame).answered, NAK)

    def test_no_address_is_no_request(self) -> None:
        """A REQUEST without any address is not understood."""
        answered = ask(frame_of(request_payload(REQUEST, [option(SERVER, "10.0.0.2")])))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.NO_ADDRESS_NAMED))


class InitRebootTests(SynchronousTestCase):
    """A REQUEST that names only an address: a client that remembers a lease."""

    def test_the_own_address_is_acknowledged(self) -> None:
        """It may go on."""
        self.assertEqual(ask(frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.5")]))).answered, ACK)

    def test_a_neighbours_address_is_refused(self) -> None:
        """The right network, not its address."""
        self.assertEqual(ask(frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.6")]))).answered, NAK)

    def test_an_address_of_another_network_is_refused(self) -> None:
        """It has moved."""
        self.assertEqual(ask(frame_of(request_payload(REQUEST, [option(ASKED, "172.16.0.6")]))).answered, NAK)

    def test_refusal_goes_to_everyone_and_gives_nothing(self) -> None:
        """The client has no address to hear it by (RFC 2131 4.1); it holds no lease."""
        reply = read(ask(frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.6")]))).frame)
        self.assertEqual((reply.datagram.target_mac, reply.datagram.target_ip), (EVERY_MAC, b"\xff" * 4))
        self.assertEqual((reply.message.yiaddr, reply.message.ciaddr), (bytes(4), bytes(4)))
        self.assertEqual(set(reply.message.options), {53, 54, 56})

    def test_an_own_address_without_dhcp_is_left_alone(self) -> None:
        """It is the port's, on a subnet that is not served: neither given nor refused."""
        answered = ask(frame_of(request_payload(REQUEST, [option(ASKED, "192.168.7.5")])), TWO_ADDRESSES, NETWORK)
        self.assertEqual((answered.frame, answered.reason), (None, Reason.NOT_SERVED))

    def test_a_port_without_served_addresses_is_refused_a_foreign_one(self) -> None:
        """What is not theirs is refused whatever they have."""
        answered = ask(frame_of(request_payload(REQUEST, [option(ASKED, "10.0.0.6")])), evolve(PORT, fixed_ips=()))
        self.assertEqual(read(answered.frame).datagram.source_ip, pack_ip("10.0.0.2"))


class RenewalTests(SynchronousTestCase):
    """A REQUEST with ciaddr: renewing by unicast, rebinding by broadcast."""

    def test_renewing_is_answered_to_the_address(self) -> None:
        """Unicast both ways."""
        frame = frame_of(request_payload(REQUEST, ciaddr="10.0.0.5"), source="10.0.0.5", target="10.0.0.2")
        reply = read(ask(frame).frame)
        self.assertEqual(reply.message.type, ACK)
        self.assertEqual((reply.datagram.target_ip, reply.datagram.target_mac), (pack_ip("10.0.0.5"), pack_mac(MAC)))
        self.assertEqual(reply.message.ciaddr, pack_ip("10.0.0.5"))

    def test_renewing_ignores_the_broadcast_flag(self) -> None:
        """A client with an address hears unicast (RFC 2131 4.1)."""
        payload = request_payload(REQUEST, ciaddr="10.0.0.5", flags=0x8000)
        reply = read(ask(frame_of(payload, source="10.0.0.5", target="10.0.0.2")).frame)
        self.assertEqual(reply.datagram.target_ip, pack_ip("10.0.0.5"))

    def test_rebinding_is_acknowledged(self) -> None:
        """By broadcast, when no answer came to unicast."""
        self.assertEqual(ask(frame_of(request_payload(REQUEST, ciaddr="10.0.0.5"), source="10.0.0.5")).answered, ACK)

    def test_renewing_an_address_that_is_no_longer_theirs_is_refused_to_everyone(self) -> None:
        """The port's address was changed in the API."""
        frame = frame_of(request_payload(REQUEST, ciaddr="10.0.0.8"), source="10.0.0.8", target="10.0.0.2")
        reply = read(ask(frame).frame)
        self.assertEqual((reply.message.type, reply.datagram.target_ip), (NAK, b"\xff" * 4))

    def test_renewing_the_second_address_is_answered_by_its_subnets_server(self) -> None:
        """ciaddr decides between subnets."""
        payload = request_payload(REQUEST, ciaddr="10.0.0.5")
        frame = frame_of(payload, source="10.0.0.5", target="10.0.0.2")
        reply = read(ask(frame, TWO_ADDRESSES, TWO_SUBNETS).frame)
        self.assertEqual((reply.message.yiaddr, reply.option(54)), (pack_ip("10.0.0.5"), pack_ip("10.0.0.2")))

    def test_unicast_to_another_host_is_not_answered(self) -> None:
        """Someone else's server."""
        frame = frame_of(request_payload(REQUEST, ciaddr="10.0.0.5"), source="10.0.0.5", target="10.0.0.44")
        self.assertEqual(ask(frame).reason, Reason.OTHER_SERVER)


class OtherMessageTests(SynchronousTestCase):
    """What is not about a new lease."""

    def test_inform_gets_options_without_a_lease(self) -> None:
        """RFC 2131 4.3.5: no yiaddr, no lease time."""
        answered = ask(frame_of(request_payload(INFORM, ciaddr="10.0.0.5"), source="10.0.0.5"))
        reply = read(answered.frame)
        self.assertEqual((answered.answered, reply.message.yiaddr), (ACK, bytes(4)))
        self.assertEqual({51, 58, 59} & set(reply.message.options), set())
        self.assertEqual(reply.option(3), pack_ip("10.0.0.1"))
        self.assertEqual(reply.datagram.target_ip, pack_ip("10.0.0.5"))

    def test_inform_of_a_foreign_address_is_not_answered(self) -> None:
        """There is no refusal of an INFORM."""
        answered = ask(frame_of(request_payload(INFORM, ciaddr="10.0.0.9"), source="10.0.0.9"))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.FOREIGN_ADDRESS))

    def test_decline_is_noted(self) -> None:
        """Nothing is sent; the log shows the address."""
        answered = ask(frame_of(request_payload(DECLINE, [option(SERVER, "10.0.0.2"), option(ASKED, "10.0.0.5")])))
        self.assertEqual(answered, Answer(None, Reason.NOTED, DECLINE, None, pack_ip("10.0.0.5")))

    def test_release_is_noted(self) -> None:
        """Nothing is sent, and the address stays the port's."""
        payload = request_payload(RELEASE, [option(SERVER, "10.0.0.2")], ciaddr="10.0.0.5")
        answered = ask(frame_of(payload, source="10.0.0.5", target="10.0.0.2"))
        self.assertEqual(answered, Answer(None, Reason.NOTED, RELEASE, None, pack_ip("10.0.0.5")))

    def test_a_servers_message_is_not_answered(self) -> None:
        """A VM does not play server with us."""
        for kind in (OFFER, ACK, NAK):
            self.assertEqual(ask(frame_of(request_payload(kind))).reason, Reason.NOT_A_REQUEST)

    def test_a_reply_is_not_answered(self) -> None:
        """op says so."""
        self.assertEqual(ask(frame_of(request_payload(DISCOVER, op=2))).reason, Reason.NOT_A_REQUEST)


class WhoTests(SynchronousTestCase):
    """Only the port's own device is answered."""

    def test_a_foreign_source_mac_hears_nothing(self) -> None:
        """The frame was not sent by the port's device."""
        answered = ask(frame_of(request_payload(DISCOVER), source_mac="fa:16:3e:00:00:66"))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.FOREIGN_MAC))

    def test_a_foreign_chaddr_hears_nothing(self) -> None:
        """The device asks in another's name."""
        answered = ask(frame_of(request_payload(DISCOVER, mac="fa:16:3e:00:00:66")))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.FOREIGN_MAC))

    def test_a_relay_hears_nothing(self) -> None:
        """A VM relays for nobody."""
        answered = ask(frame_of(request_payload(DISCOVER, giaddr="10.0.0.200")))
        self.assertEqual((answered.frame, answered.reason), (None, Reason.RELAYED))

    def test_who_relays_for_itself_is_answered_as_a_relay(self) -> None:
        """To giaddr, on the server's port (RFC 2131 4.1); measuring tools do so."""
        datagram = read(ask(frame_of(request_payload(DISCOVER, giaddr="10.0.0.5"))).frame).datagram
        self.assertEqual((datagram.target_ip, datagram.target_port), (pack_ip("10.0.0.5"), 67))


class SmallSubnetTests(SynchronousTestCase):
    """Prefixes without room for a broadcast address."""

    def serve(self, cidr: str, address: str, gateway: str, server: str) -> dict[int, bytes]:
        """Return the options of an offer on such a subnet."""
        subnet = DhcpSubnet("s", cidr, gateway, (), (), server)
        port = evolve(PORT, fixed_ips=(FixedIp("s", address),))
        reply = read(ask(frame_of(request_payload(DISCOVER)), port, evolve(NETWORK, subnets=(subnet,))).frame)
        self.assertEqual(reply.message.yiaddr, pack_ip(address))
        return dict(reply.message.options)

    def test_point_to_point(self) -> None:
        """A /31 has two hosts and no broadcast address (RFC 3021)."""
        options = self.serve("10.1.0.4/31", "10.1.0.5", "10.1.0.4", "10.1.0.4")
        self.assertEqual((options[1], options.get(28)), (pack_ip("255.255.255.254"), None))
        self.assertEqual(options[121], b"\x00" + pack_ip("10.1.0.4"))

    def test_single_address(self) -> None:
        """With a /32 the gateway is outside, so it is made reachable first."""
        options = self.serve("10.1.0.9/32", "10.1.0.9", "169.254.0.1", "169.254.0.2")
        self.assertEqual((options[1], options.get(28)), (pack_ip("255.255.255.255"), None))
        on_link = b"\x20" + pack_ip("169.254.0.1") + bytes(4)
        self.assertEqual(options[121], on_link + b"\x00" + pack_ip("169.254.0.1"))
