"""What nft is told, and what it says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.nft.interfaces import Chain, Change, Count, Helper, Kind
from quantumd.edge.nft.listing import read_listing
from quantumd.edge.nft.script import script

CHAIN = Chain(("ip saddr 10.0.0.1 accept", "drop"))
_LISTED = """table bridge quantumd {
    map sends {
        type ifname : mark
        elements = { "tap1" : 0x00000001,
                     "tap2" : 0xb35c6cf8 }
    }

    set tracked {
        type ifname . ether_addr
        elements = { "brq1" . fa:16:3e:00:00:01 }
    }

    set empty {
        type ifname
    }

    chain base {
        type filter hook prerouting priority -300; policy accept;
        ip saddr 10.0.0.1 accept
        drop comment "quantumd %s 2"
    }
}
"""


class ScriptTests(SynchronousTestCase):
    """One transaction."""

    def test_what_is_named_comes_before_what_names_it(self) -> None:
        """And goes after it."""
        change = Change(
            chains={("inet", "new"): CHAIN},
            sets={("inet", "to"): Kind("type mark : verdict;")},
            elements={("inet", "to", "0x00000001"): "goto new"},
            gone_chains=frozenset({("inet", "old")}),
            helpers={("inet", "ftp_tcp"): Helper("ftp", "tcp")},
            gone_helpers=frozenset({("inet", "sip_udp")}),
            counters=frozenset({("inet", "new")}),
            gone_counters=frozenset({("inet", "old")}),
            gone_elements={("inet", "to", "0x00000002"): "goto old"},
        )
        lines = script(change).splitlines()
        order = [
            lines.index("add chain inet quantumd new"),
            lines.index("add map inet quantumd to { type mark : verdict; }"),
            lines.index("add counter inet quantumd new"),
            lines.index('add ct helper inet quantumd ftp_tcp { type "ftp" protocol tcp; }'),
            lines.index("delete element inet quantumd to { 0x00000002 : goto old }"),
            lines.index("add rule inet quantumd new ip saddr 10.0.0.1 accept"),
            lines.index("add element inet quantumd to { 0x00000001 : goto new }"),
            lines.index("delete chain inet quantumd old"),
            lines.index("delete counter inet quantumd old"),
            lines.index("delete ct helper inet quantumd sip_udp"),
        ]
        self.assertEqual(order, sorted(order))

    def test_a_chain_is_replaced_whole_and_says_what_it_is(self) -> None:
        """The last rule has the digest, and how many rules there are."""
        lines = script(Change(chains={("inet", "new"): CHAIN})).splitlines()
        self.assertIn("flush chain inet quantumd new", lines)
        self.assertEqual(lines[-1], f'add rule inet quantumd new drop comment "quantumd {CHAIN.digest} 2"')


class ListingTests(SynchronousTestCase):
    """What is read back."""

    def test_all_of_it_is_read(self) -> None:
        """Chains by digest, elements as they were given."""
        ruleset = read_listing({"bridge": _LISTED % "0123456789abcdef"}).ruleset
        self.assertEqual(ruleset.chains, {("bridge", "base"): "0123456789abcdef"})
        self.assertEqual(ruleset.sets, {("bridge", name) for name in ("sends", "tracked", "empty")})
        self.assertEqual(
            ruleset.elements,
            {
                ("bridge", "sends", '"tap1"'): "0x00000001",
                ("bridge", "sends", '"tap2"'): "0xb35c6cf8",
                ("bridge", "tracked", '"brq1" . fa:16:3e:00:00:01'): "",
            },
        )

    def test_helpers_are_read(self) -> None:
        """By their names; of what they are nothing can be changed."""
        said = 'table inet quantumd {\n\tct helper ftp_tcp {\n\t\ttype "ftp" protocol tcp\n\t\tl3proto inet\n\t}\n}\n'
        ruleset = read_listing({"inet": said}).ruleset
        self.assertEqual((ruleset.helpers, ruleset.sets), ({("inet", "ftp_tcp")}, frozenset()))

    def test_counters_are_read(self) -> None:
        """With what they counted."""
        said = "table inet quantumd {\n\tcounter out {\n\t\tpackets 20 bytes 20560\n\t}\n}\n"
        self.assertEqual(read_listing({"inet": said}).ruleset.counters, {("inet", "out"): Count(20, 20560)})

    def test_a_chain_that_lacks_a_rule_or_has_one_more_is_not_as_it_was(self) -> None:
        """Nor one without a comment."""
        whole = _LISTED % "0123456789abcdef"
        for changed in (
            whole.replace("        ip saddr 10.0.0.1 accept\n", ""),
            whole.replace("        ip saddr", "        accept\n        ip saddr"),
            whole.replace(' comment "quantumd 0123456789abcdef 2"', ""),
        ):
            self.assertEqual(read_listing({"bridge": changed}).ruleset.chains, {("bridge", "base"): ""})

    def test_what_a_chain_looks_like_tells_a_rule_from_another(self) -> None:
        """That has the same place."""
        whole = _LISTED % "0123456789abcdef"
        looks = [read_listing({"bridge": text}).looks for text in (whole, whole.replace("10.0.0.1", "10.0.0.2"))]
        self.assertNotEqual(*looks)

    def test_half_a_listing_is_refused(self) -> None:
        """It would look like filters that are gone."""
        self.assertRaises(ValueError, read_listing, {"bridge": (_LISTED % "0")[:-12]})
