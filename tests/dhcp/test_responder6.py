"""The responder of DHCPv6: what RFC 8415 has a server do with each message, and who is not answered."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_mac
from quantumd.dhcp.addresses6 import link_local, show_ip6
from quantumd.dhcp.options import Told
from quantumd.dhcp.options6 import server_duid
from quantumd.dhcp.reasons import Reason
from quantumd.dhcp.responder6 import Answer6, answer6
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, Option6, Status6
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, ExtraOption, FixedIp
from tests.dhcp.client import MAC, NETWORK, NETWORK_ID, PORT, SERVER_MAC
from tests.dhcp.client6 import (
    ADDRESS,
    CLIENT,
    CLIENT_DUID,
    COMPUTED,
    DUID,
    IAID,
    NETWORK6,
    PORT6,
    SECOND_ADDRESS,
    SECOND_SUBNET6,
    SERVER,
    STATELESS_NETWORK6,
    THREE_SUBNETS6,
    TWO_ADDRESSES6,
    Granted,
    Received6,
    frame6_of,
    ia,
    payload6,
    read6,
)

SETTINGS = DhcpSettings(lease_seconds=3600)
TIMES = (1800, 2880)
OTHER_IAID = b"\4\3\2\1"
RAPID: Option6 = (Code6.RAPID_COMMIT, b"")
M = MessageType6
SERVER_LINK_LOCAL = show_ip6(link_local(SERVER_MAC))
COMPUTED_ONLY = evolve(PORT6, fixed_ips6=(FixedIp(STATELESS_NETWORK6.subnets6[0].id, COMPUTED),))


def ask(
    kind: int, *options: Option6, port: DhcpPortRecord = PORT6, network: DhcpNetworkRecord = NETWORK6, **frame: str
) -> Answer6:
    """Give a message to the responder."""
    return answer6(frame6_of(payload6(kind, options), **frame), port, network, SETTINGS)  # type: ignore[arg-type]


def granted(*addresses: str, iaid: bytes = IAID) -> Granted:
    """What an association looks like that has addresses."""
    return Granted(iaid, TIMES, tuple((each, 3600, 3600) for each in addresses))


class Case(SynchronousTestCase):
    """Asks and reads."""

    def reply(
        self, kind: int, *options: Option6, port: DhcpPortRecord = PORT6, network: DhcpNetworkRecord = NETWORK6
    ) -> Received6:
        """Return the reply to a message."""
        return read6(ask(kind, *options, port=port, network=network).frame)

    def expect_silence(self, reason: Reason, answered: Answer6) -> None:
        """Nothing is said, for that reason."""
        self.assertEqual((answered.frame, answered.reason), (None, reason))


class SolicitTests(Case):
    """A client that looks for a server."""

    def test_is_offered_its_address(self) -> None:
        """With both ids, its association, times, and a preference that lets it wait for nobody else."""
        reply = self.reply(M.SOLICIT, CLIENT, ia())
        self.assertEqual((reply.kind, reply.xid), (M.ADVERTISE, b"xid"))
        self.assertEqual((reply.option(Code6.CLIENT_ID), reply.option(Code6.SERVER_ID)), (CLIENT_DUID, DUID))
        self.assertEqual(reply.granted, (granted(ADDRESS),))
        self.assertEqual(reply.option(Code6.PREFERENCE), b"\xff")
        self.assertEqual(reply.addresses(Code6.DNS), ("fd00::53", "fd00::54"))
        self.assertEqual(reply.option(Code6.DOMAIN_SEARCH), b"\x0eopenstacklocal\0")
        self.assertIsNone(reply.option(Code6.REFRESH_SECONDS))

    def test_the_answer_is_for_the_client_alone(self) -> None:
        """From the link-local address of the DHCP port to the client's, 547 to 546."""
        datagram = self.reply(M.SOLICIT, CLIENT, ia()).datagram
        self.assertEqual((datagram.source_mac, datagram.target_mac), (pack_mac(SERVER_MAC), pack_mac(MAC)))
        self.assertEqual((datagram.source_ip, datagram.target_ip), (link_local(SERVER_MAC), link_local(MAC)))
        self.assertEqual((datagram.source_port, datagram.target_port), (547, 546))

    def test_rapid_commit_gives_at_once(self) -> None:
        """A reply in the place of an advertisement, which says so; not where there is nothing to give."""
        reply = self.reply(M.SOLICIT, CLIENT, RAPID, ia())
        self.assertEqual((reply.kind, reply.option(Code6.RAPID_COMMIT)), (M.REPLY, b""))
        self.assertEqual((reply.granted, reply.option(Code6.PREFERENCE)), ((granted(ADDRESS),), None))
        port = evolve(PORT6, fixed_ips6=())
        self.assertIs(self.reply(M.SOLICIT, CLIENT, RAPID, ia(), port=port).kind, M.ADVERTISE)

    def test_a_port_without_an_address_is_told_so(self) -> None:
        """And what else there is to know: also where addresses are computed, and DHCP gives none."""
        for port, network in ((evolve(PORT6, fixed_ips6=()), NETWORK6), (COMPUTED_ONLY, STATELESS_NETWORK6)):
            reply = self.reply(M.SOLICIT, CLIENT, ia(), port=port, network=network)
            self.assertEqual(reply.kind, M.ADVERTISE)
            self.assertEqual(reply.granted, (Granted(IAID, (0, 0), (), Status6.NO_ADDRS_AVAIL),))

    def test_one_association_gets_all_addresses(self) -> None:
        """In the port's order; not the one that its device computes."""
        reply = self.reply(M.SOLICIT, CLIENT, ia(), port=TWO_ADDRESSES6, network=THREE_SUBNETS6)
        self.assertEqual(reply.granted, (granted(ADDRESS, SECOND_ADDRESS),))

    def test_several_associations_share(self) -> None:
        """Each has the address that it names, or the next one, and none when all are given."""
        third = b"third"[:4]
        reply = self.reply(
            M.SOLICIT,
            CLIENT,
            ia(),
            ia(ADDRESS, iaid=OTHER_IAID),
            ia(iaid=third),
            port=TWO_ADDRESSES6,
            network=THREE_SUBNETS6,
        )
        self.assertEqual(
            reply.granted,
            (
                granted(SECOND_ADDRESS),
                granted(ADDRESS, iaid=OTHER_IAID),
                Granted(third, (0, 0), (), Status6.NO_ADDRS_AVAIL),
            ),
        )

    def test_temporary_addresses_and_prefixes_are_not_to_be_had(self) -> None:
        """Each association is answered by a status of its own kind."""
        reply = self.reply(M.SOLICIT, CLIENT, ia(), ia(code=Code6.IA_TA), ia(code=Code6.IA_PD))
        self.assertEqual(reply.granted, (granted(ADDRESS),))
        temporary, prefixes = reply.option(Code6.IA_TA) or b"", reply.option(Code6.IA_PD) or b""
        self.assertEqual((temporary[:4], temporary[8:10]), (IAID, b"\0\2"))
        self.assertEqual((prefixes[:4], prefixes[16:18]), (IAID, b"\0\6"))

    def test_a_client_without_an_id_does_not_count(self) -> None:
        """Nor one that names a server, which a search has none of."""
        self.expect_silence(Reason.NO_CLIENT_ID, ask(M.SOLICIT, ia()))
        self.expect_silence(Reason.BAD_OPTION, ask(M.SOLICIT, CLIENT, SERVER, ia()))


class RequestTests(Case):
    """A client that chose this server."""

    def test_is_given_its_address(self) -> None:
        """Whether it names it, names another of the link, or none."""
        for named in ((ADDRESS,), ("fd00:1::99",), ()):
            reply = self.reply(M.REQUEST, CLIENT, SERVER, ia(*named))
            self.assertEqual((reply.kind, reply.granted), (M.REPLY, (granted(ADDRESS),)))

    def test_an_address_of_another_link_is_refused(self) -> None:
        """So that the client starts anew; other associations are not."""
        reply = self.reply(M.REQUEST, CLIENT, SERVER, ia("2001:db8::1"), ia(iaid=OTHER_IAID), port=TWO_ADDRESSES6)
        self.assertEqual(reply.granted[0], Granted(IAID, (0, 0), (), Status6.NOT_ON_LINK))
        self.assertEqual(reply.granted[1].status, Status6.NO_ADDRS_AVAIL)

    def test_another_server_is_left_alone(self) -> None:
        """Whoever that is; and none is named."""
        for kind in (M.REQUEST, M.RENEW, M.RELEASE, M.DECLINE, M.INFORMATION_REQUEST):
            options = () if kind is M.INFORMATION_REQUEST else (ia(ADDRESS),)
            other = (Code6.SERVER_ID, server_duid("55555555-0000-4000-8000-000000000001"))
            self.expect_silence(Reason.OTHER_SERVER, ask(kind, CLIENT, other, *options))
        self.expect_silence(Reason.OTHER_SERVER, ask(M.REQUEST, CLIENT, ia(ADDRESS)))


class RenewTests(Case):
    """A client whose lease grows old."""

    def test_what_is_the_ports_is_renewed(self) -> None:
        """By this server, and by any."""
        for kind, ids in ((M.RENEW, (CLIENT, SERVER)), (M.REBIND, (CLIENT,))):
            self.assertEqual(self.reply(kind, *ids, ia(ADDRESS)).granted, (granted(ADDRESS),))

    def test_what_is_not_any_more_ends_now(self) -> None:
        """A port that changed its address: the old one ends, and the new one is there."""
        for kind, ids in ((M.RENEW, (CLIENT, SERVER)), (M.REBIND, (CLIENT,))):
            (told,) = self.reply(kind, *ids, ia("fd00:1::99")).granted
            self.assertEqual(told, Granted(IAID, TIMES, ((ADDRESS, 3600, 3600), ("fd00:1::99", 0, 0))))

    def test_an_address_that_was_taken_away_ends_now(self) -> None:
        """And there is nothing to renew later."""
        (told,) = self.reply(M.RENEW, CLIENT, SERVER, ia(ADDRESS), port=evolve(PORT6, fixed_ips6=())).granted
        self.assertEqual(told, Granted(IAID, (0, 0), ((ADDRESS, 0, 0),)))

    def test_an_address_that_was_added_is_given(self) -> None:
        """With the next renewal."""
        reply = self.reply(M.RENEW, CLIENT, SERVER, ia(ADDRESS), port=TWO_ADDRESSES6, network=THREE_SUBNETS6)
        self.assertEqual(reply.granted, (granted(ADDRESS, SECOND_ADDRESS),))

    def test_an_association_that_nobody_has_is_told_so(self) -> None:
        """It has nothing, and there is nothing for it."""
        (told,) = self.reply(M.RENEW, CLIENT, SERVER, ia(), port=evolve(PORT6, fixed_ips6=())).granted
        self.assertEqual(told, Granted(IAID, (0, 0), (), Status6.NO_BINDING))


class ConfirmTests(Case):
    """A client that may be somewhere else now."""

    def test_its_own_address_is_confirmed(self) -> None:
        """Success, and nothing else."""
        reply = self.reply(M.CONFIRM, CLIENT, ia(ADDRESS))
        self.assertEqual((reply.kind, reply.status, reply.granted), (M.REPLY, Status6.SUCCESS, ()))

    def test_any_other_is_not(self) -> None:
        """Of another link, and of another port: port security would let it send nothing from there."""
        for named in (("2001:db8::1",), ("fd00:1::99",), (ADDRESS, "fd00:1::99")):
            self.assertEqual(self.reply(M.CONFIRM, CLIENT, ia(*named)).status, Status6.NOT_ON_LINK)

    def test_who_names_none_is_not_answered(self) -> None:
        """RFC 8415 18.3.3."""
        self.expect_silence(Reason.NO_ADDRESS_NAMED, ask(M.CONFIRM, CLIENT, ia()))


class GiveBackTests(Case):
    """RELEASE and DECLINE."""

    def test_is_noted_and_changes_nothing(self) -> None:
        """The address is the port's whatever its device says."""
        for kind in (M.RELEASE, M.DECLINE):
            answered = ask(kind, CLIENT, SERVER, ia(ADDRESS))
            self.assertEqual((answered.reason, answered.answered), (Reason.NOTED, M.REPLY))
            reply = read6(answered.frame)
            self.assertEqual((reply.status, reply.granted, reply.option(Code6.DNS)), (Status6.SUCCESS, (), None))

    def test_an_address_that_is_not_the_ports_has_no_binding(self) -> None:
        """Which its association says."""
        (told,) = self.reply(M.RELEASE, CLIENT, SERVER, ia("fd00:1::99")).granted
        self.assertEqual(told.status, Status6.NO_BINDING)


class InformTests(Case):
    """A client that computes its address."""

    def test_is_told_the_rest(self) -> None:
        """And when to ask again; with an id or without."""
        for options in ((CLIENT,), (), (CLIENT, SERVER)):
            reply = self.reply(M.INFORMATION_REQUEST, *options, port=COMPUTED_ONLY, network=STATELESS_NETWORK6)
            self.assertEqual((reply.kind, reply.granted), (M.REPLY, ()))
            self.assertEqual(reply.addresses(Code6.DNS), ("fd00::55",))
            self.assertEqual(reply.option(Code6.REFRESH_SECONDS), (3600).to_bytes(4, "big"))
            self.assertEqual(reply.option(Code6.CLIENT_ID), CLIENT_DUID if options else None)

    def test_it_asks_again_after_ten_minutes_at_least(self) -> None:
        """However short leases are (RFC 8415 7.6)."""
        frame = frame6_of(payload6(M.INFORMATION_REQUEST, (CLIENT,)))
        reply = read6(answer6(frame, PORT6, NETWORK6, DhcpSettings(lease_seconds=10)).frame)
        self.assertEqual(reply.option(Code6.REFRESH_SECONDS), (600).to_bytes(4, "big"))

    def test_an_association_has_no_place_in_it(self) -> None:
        """RFC 8415 16.12."""
        self.expect_silence(Reason.BAD_OPTION, ask(M.INFORMATION_REQUEST, CLIENT, ia()))

    def test_name_servers_are_those_of_the_ports_subnets(self) -> None:
        """Else those of the settings, of IPv6; :: is none at all."""
        settings = DhcpSettings(dns_servers=("9.9.9.9", "fd00::99"))
        frame = frame6_of(payload6(M.INFORMATION_REQUEST, (CLIENT,)))
        nobody = evolve(NETWORK6, subnets6=(evolve(NETWORK6.subnets6[0], dns_nameservers=("::",)),))
        silent = evolve(NETWORK6, subnets6=(evolve(NETWORK6.subnets6[0], dns_nameservers=()),))
        for port, network, wanted in (
            (TWO_ADDRESSES6, THREE_SUBNETS6, ("fd00::53", "fd00::54", "fd00::55")),
            (PORT6, silent, ("fd00::99",)),
            (PORT6, nobody, ()),
        ):
            self.assertEqual(read6(answer6(frame, port, network, settings).frame).addresses(Code6.DNS), wanted)

    def test_a_network_with_a_dns_server_of_its_own(self) -> None:
        """Is told of those of the port's subnets, where these name none; without an address there is none."""
        frame = frame6_of(payload6(M.INFORMATION_REQUEST, (CLIENT,)))
        settings = DhcpSettings(dns_servers=("fd00::99",))
        bare = evolve(NETWORK6.subnets6[0], dns_nameservers=())
        for subnets, wanted in (
            ((evolve(bare, server_address="fd00:1::2"), SECOND_SUBNET6), ("fd00:1::2",)),
            ((bare,), ("fd00::99",)),
            ((evolve(NETWORK6.subnets6[0], server_address="fd00:1::2"),), ("fd00::53", "fd00::54")),
        ):
            network = evolve(NETWORK6, subnets6=subnets)
            answer = answer6(frame, PORT6, network, settings, Told(dns=True))
            self.assertEqual(read6(answer.frame).addresses(Code6.DNS), wanted)

    def test_a_domain_that_is_none_is_not_told(self) -> None:
        """IPv4 tells it as it is written; here it has labels."""
        frame = frame6_of(payload6(M.INFORMATION_REQUEST, (CLIENT,)))
        for domain in ("", "a..b", "x" * 64, "bücher"):
            reply = read6(answer6(frame, PORT6, NETWORK6, DhcpSettings(domain=domain)).frame)
            self.assertIsNone(reply.option(Code6.DOMAIN_SEARCH), domain)

    def test_options_of_the_port_take_the_place_of_the_networks(self) -> None:
        """Those of IPv6."""
        port = evolve(
            PORT6, extra_options=(ExtraOption(6, "dns-server", "fd00::1"), ExtraOption(4, "domain-search", "a.b"))
        )
        reply = self.reply(M.INFORMATION_REQUEST, CLIENT, port=port)
        self.assertEqual(reply.addresses(Code6.DNS), ("fd00::1",))
        self.assertEqual(reply.option(Code6.DOMAIN_SEARCH), b"\x0eopenstacklocal\0")


class UnicastTests(Case):
    """Messages to the server's own address, which it never invited."""

    def test_who_has_a_server_is_sent_to_the_group(self) -> None:
        """RFC 8415 18.4; and is given nothing."""
        for kind in (M.REQUEST, M.RENEW, M.RELEASE, M.DECLINE):
            reply = read6(ask(kind, CLIENT, SERVER, ia(ADDRESS), target=SERVER_LINK_LOCAL).frame)
            self.assertEqual((reply.status, reply.granted), (Status6.USE_MULTICAST, ()))

    def test_the_others_do_not_count(self) -> None:
        """RFC 8415 16."""
        for kind, options in ((M.SOLICIT, (ia(),)), (M.CONFIRM, (ia(ADDRESS),)), (M.INFORMATION_REQUEST, ())):
            answered = ask(kind, CLIENT, *options, target=SERVER_LINK_LOCAL)
            self.expect_silence(Reason.NOT_BY_MULTICAST, answered)

    def test_other_addresses_are_others(self) -> None:
        """Among them the group of servers alone, to which only relays send."""
        for target in ("fd00:1::2", "ff05::1:3", "fe80::1"):
            self.expect_silence(Reason.OTHER_SERVER, ask(M.SOLICIT, CLIENT, ia(), target=target))


class StrangerTests(Case):
    """Who is not answered."""

    def test_a_foreign_mac(self) -> None:
        """Its address with it, or not."""
        foreign = "fa:16:3e:66:66:66"
        self.expect_silence(Reason.FOREIGN_MAC, ask(M.SOLICIT, CLIENT, ia(), source_mac=foreign))
        own = show_ip6(link_local(MAC))
        self.expect_silence(Reason.FOREIGN_MAC, ask(M.SOLICIT, CLIENT, ia(), source_mac=foreign, source=own))

    def test_a_foreign_source(self) -> None:
        """Neither of the link nor of the port; one's own address will do."""
        for source in ("2001:db8::1", "::", "fd00:1::99", "ff02::1"):
            self.expect_silence(Reason.FOREIGN_ADDRESS, ask(M.SOLICIT, CLIENT, ia(), source=source))
        reply = read6(ask(M.RENEW, CLIENT, SERVER, ia(ADDRESS), source=ADDRESS).frame)
        self.assertEqual(show_ip6(reply.datagram.target_ip), ADDRESS)

    def test_a_network_without_dhcpv6(self) -> None:
        """Subnets with SLAAC alone, without DHCP, and of IPv4."""
        self.expect_silence(Reason.NOT_SERVED, ask(M.SOLICIT, CLIENT, ia(), port=PORT, network=NETWORK))

    def test_relays(self) -> None:
        """Every host answers its own ports, so there is nothing to relay."""
        for kind in (M.RELAY_FORWARD, M.RELAY_REPLY):
            self.expect_silence(Reason.RELAYED, ask(kind, CLIENT))

    def test_what_servers_say(self) -> None:
        """And what nobody does."""
        for kind in (0, M.ADVERTISE, M.REPLY, M.RECONFIGURE, 14, 255):
            self.expect_silence(Reason.NOT_A_REQUEST, ask(kind, CLIENT, SERVER))

    def test_another_port(self) -> None:
        """That is of UDP."""
        frame = frame6_of(payload6(M.SOLICIT, (CLIENT, ia())), target_port=546)
        self.expect_silence(Reason.NOT_TO_SERVER_PORT, answer6(frame, PORT6, NETWORK6, SETTINGS))


class NameTests(SynchronousTestCase):
    """What counters and logs call it."""

    def test_questions_are_told_apart_from_those_of_ipv4(self) -> None:
        """A request is one of either."""
        answered = ask(M.REQUEST, CLIENT, SERVER, ia(ADDRESS))
        self.assertEqual((answered.question, answered.outcome, answered.about), ("request6", "reply", ADDRESS))
        self.assertTrue(answered.is_decision)
        offered = ask(M.SOLICIT, CLIENT, ia())
        self.assertEqual((offered.question, offered.outcome, offered.is_decision), ("solicit6", "advertise", False))
        silent = ask(M.SOLICIT, ia())
        self.assertEqual((silent.outcome, silent.about), ("no_client_id", "nothing"))
        self.assertEqual(Answer6(None, Reason.NOT_UDP).question, "unknown")

    def test_the_servers_id_is_the_networks(self) -> None:
        """The same on every host: a VM that moves renews with it (RFC 6355)."""
        self.assertEqual(DUID, b"\0\4" + bytes.fromhex(NETWORK_ID.replace("-", "")))
