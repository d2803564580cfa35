"""What a network's DNS server says by itself."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.dns_zones import Zones
from quantumd.services.dns.own import own_answer, reverse_of
from quantumd.services.dns.wire import Code
from tests.services.dns.test_wire import asking, read, shown

RED, BLUE = "red", "blue"


def name(port: str, network: str = RED, called: str = "", domain: str = "", *addresses: str) -> DnsNameRecord:
    """What a port is called."""
    return DnsNameRecord(port, 1, network, called, domain, addresses)


class OwnTests(SynchronousTestCase):
    """Two networks with the same addresses."""

    def setUp(self) -> None:
        """Ports with and without names."""
        self.zones = Zones()
        for network, domain in ((RED, "red.example"), (BLUE, "")):
            self.zones.put_zone(network, DnsZoneRecord(network, 1, domain, ("10.0.0.0/24", "fd00::/64")))
        for record in (
            name("1", RED, "web", "", "10.0.0.5", "fd00::5"),
            name("2", RED, "", "", "10.0.0.6"),
            name("3", RED, "full.cloud.example.", "", "10.0.0.7"),
            name("4", RED, "db", "own.example", "10.0.0.8"),
            name("5", BLUE, "mail", "", "10.0.0.5"),
        ):
            self.zones.put_name(record.id, record)

    def said(self, asked: str, kind: int = dns.A, network: str = RED, domain: str = "cloud.example") -> list[str] | int:
        """Return what is answered; the code of an answer without records, -1 for what others are asked."""
        said = own_answer(read(asking(asked, kind)), self.zones.of(network, domain))
        if said is None:
            return -1
        message = shown(said)
        told = [_content(each) for each in message.answers]
        return told or message.rCode

    def test_addresses(self) -> None:
        """By each name that a port has."""
        for asked in ("web", "WEB.red.example", "web.cloud.example"):
            self.assertEqual(self.said(asked), ["10.0.0.5"])
            self.assertEqual(self.said(asked, dns.AAAA), ["fd00::5"])
        self.assertEqual(self.said("host-10-0-0-6"), ["10.0.0.6"])
        self.assertEqual(self.said("full.cloud.example"), ["10.0.0.7"])
        self.assertEqual(self.said("db.own.example"), ["10.0.0.8"])

    def test_types_that_a_name_has_not(self) -> None:
        """There is the name, and nothing of that type."""
        self.assertEqual(self.said("web", dns.MX), dns.OK)
        self.assertEqual(self.said("host-10-0-0-6", dns.AAAA), dns.OK)

    def test_names_of_other_projects(self) -> None:
        """Those whose network it is not are called nothing outside its domains: everybody there would believe it."""
        for record in (
            name("6", RED, "www", "bank.example", "10.0.0.9"),
            name("7", RED, "www.shop.example.", "", "10.0.0.10"),
            name("8", RED, "www.red.example.", "", "10.0.0.11"),
            name("9", RED, "ftp", "deep.red.example", "10.0.0.12"),
        ):
            self.zones.put_name(record.id, evolve(record, is_own=False))
        self.assertEqual([self.said(each) for each in ("www.bank.example", "www.shop.example")], [-1, -1])
        self.assertEqual(self.said("www"), ["10.0.0.9"])
        self.assertEqual(self.said("www.red.example"), ["10.0.0.11"])
        self.assertEqual(self.said("ftp.deep.red.example"), ["10.0.0.12"])
        called = [self.said(f"{each}.0.0.10.in-addr.arpa", dns.PTR) for each in (9, 10, 11, 12)]
        wanted = ["www.red.example", "host-10-0-0-10.red.example", "www.red.example", "ftp.deep.red.example"]
        self.assertEqual(called, [[each] for each in wanted])
        for port in "6789":
            self.zones.put_name(port, None)
        self.assertEqual(self.said("www.red.example"), -1)

    def test_a_name_that_is_too_long(self) -> None:
        """With the domain of its port; there is no room for it in an answer."""
        self.zones.put_name("6", name("6", RED, ".".join(["a" * 60] * 3), ".".join(["b" * 40] * 3), "10.0.0.9"))
        self.assertEqual(self.said("9.0.0.10.in-addr.arpa", dns.PTR), dns.ENAME)

    def test_any_type(self) -> None:
        """All addresses."""
        self.assertEqual(len(self.said("web", dns.ALL_RECORDS)), 2)  # type: ignore[arg-type]

    def test_other_networks(self) -> None:
        """Have names of their own, and the same addresses."""
        self.assertEqual(self.said("web", network=BLUE), dns.ENAME)
        self.assertEqual(self.said("mail", network=BLUE), ["10.0.0.5"])
        self.assertEqual(self.said("mail"), dns.ENAME)
        self.assertEqual(self.said("5.0.0.10.in-addr.arpa", dns.PTR, BLUE), ["mail.cloud.example"])

    def test_addresses_back(self) -> None:
        """In the port's domain, else the network's, else that of the settings."""
        for byte, said in ((5, "web.red.example"), (6, "host-10-0-0-6.red.example"), (7, "full.cloud.example"),
                           (8, "db.own.example")):  # fmt: skip
            self.assertEqual(self.said(f"{byte}.0.0.10.in-addr.arpa", dns.PTR), [said])
        self.assertEqual(self.said("5.0.0.10.in-addr.arpa", dns.A), dns.OK)
        reverse6 = ".".join(f"fd00{5:028x}"[::-1]) + ".ip6.arpa"
        self.assertEqual(self.said(reverse6, dns.PTR), ["web.red.example"])

    def test_addresses_that_nobody_has(self) -> None:
        """Of the network are nobody's; others are for others."""
        self.assertEqual(self.said("9.0.0.10.in-addr.arpa", dns.PTR), dns.ENAME)
        self.assertEqual(self.said("9.1.0.10.in-addr.arpa", dns.PTR), -1)
        self.assertEqual(self.said("0.10.in-addr.arpa", dns.NS), -1)

    def test_what_others_are_asked(self) -> None:
        """Names of more labels, also in domains that are somebody's; the root's own zone, but for addresses."""
        for asked, kind in (("www.example.org", dns.A), ("www.red.example", dns.A), ("com", dns.NS), ("", dns.NS)):
            self.assertEqual(self.said(asked, kind), -1)
        self.assertEqual(self.said("nobody"), dns.ENAME)
        self.assertEqual(self.said("nobody.openstacklocal", domain="openstacklocal"), dns.ENAME)
        self.assertEqual(self.said("web.openstacklocal", domain="openstacklocal"), ["10.0.0.5"])

    def test_transfers(self) -> None:
        """Are not known here; other classes are refused."""
        self.assertEqual(self.said("red.example", dns.AXFR), Code.NOT_KNOWN_HERE)
        chaos = asking()[:-1] + b"\3"
        said = own_answer(read(chaos), self.zones.of(RED, ""))
        assert said is not None
        self.assertEqual(shown(said).rCode, dns.EREFUSED)

    def test_changes(self) -> None:
        """A name that goes leaves nothing; one that changes leaves nothing of before."""
        self.zones.put_name("1", name("1", RED, "shop", "", "10.0.0.5"))
        self.assertEqual((self.said("web"), self.said("shop")), (dns.ENAME, ["10.0.0.5"]))
        self.assertEqual(self.said("shop", dns.AAAA), dns.OK)
        for port in "12345":
            self.zones.put_name(port, None)
        for network in (RED, BLUE):
            self.zones.put_zone(network, None)
        self.assertEqual((self.zones._of_networks, self.zones._ports), ({}, {}))
        self.assertEqual(self.said("5.0.0.10.in-addr.arpa", dns.PTR), -1)

    def test_an_address_that_another_port_has_now(self) -> None:
        """Whichever is heard of first."""
        self.zones.put_name("9", name("9", RED, "new", "", "10.0.0.5"))
        self.zones.put_name("1", None)
        self.assertEqual(self.said("5.0.0.10.in-addr.arpa", dns.PTR), ["new.red.example"])

    def test_a_name_of_several_ports(self) -> None:
        """All their addresses."""
        self.zones.put_name("9", name("9", RED, "web", "", "10.0.0.9"))
        self.assertEqual(self.said("web"), ["10.0.0.5", "10.0.0.9"])
        self.zones.put_name("1", None)
        self.assertEqual(self.said("web"), ["10.0.0.9"])

    @given(st.text(max_size=80))
    def test_any_name(self, text: str) -> None:
        """Is read as an address or not, without an error."""
        for ending in ("", ".in-addr.arpa", ".ip6.arpa"):
            reverse_of(text + ending)
            self.zones.of(RED, "").addresses_of(text + ending)

    def test_what_is_no_address(self) -> None:
        """Too large, too long, with zeros before it, or in other digits."""
        for text in ("256.0.0.10", "05.0.0.10", "1.5.0.0.10", "5.0.10", "x.0.0.10", "٣.0.0.10"):
            self.assertEqual(reverse_of(f"{text}.in-addr.arpa"), "")
        self.assertEqual(reverse_of("g." + "0." * 30 + "0.ip6.arpa"), "")


def _content(record: Any) -> str:
    """The content of a record as text."""
    if record.type == dns.PTR:
        return str(record.payload.name.name.decode())
    return str(record.payload.dottedQuad() if record.type == dns.A else record.payload._address)
