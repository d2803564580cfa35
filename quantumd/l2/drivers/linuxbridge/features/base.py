"""Where frames and packets come to our chains, and what is the same for all of them. Pure.

Bridged frames pass the table of the family ``bridge`` first, which marks them with who sent them, and packets of IP
then that of ``inet``, to which bridges show them; before a frame leaves, it is marked with who gets it, and passes that
table again.
"""

from __future__ import annotations

from collections.abc import Mapping

from quantumd.edge.nft.interfaces import Chain, Kind, Name
from quantumd.l2.drivers.linuxbridge.desired import Objects, place

FRAMES, PACKETS = "bridge", "inet"

_OURS = 'iifname "brq*"'
_TAGGED = "ether type { 8021q, 8021ad }"
_SOLICITATION = 135
_ANY = "meta mark set 0x00000000"

SETS: Mapping[Name, Kind] = {
    (FRAMES, "known"): Kind("type ifname;"),
    (FRAMES, "guests"): Kind("type ifname;"),
    (FRAMES, "closed"): Kind("type ifname;"),
    (FRAMES, "sends"): Kind("type ifname : mark;"),
    (FRAMES, "gets"): Kind("type ifname : mark;"),
    (FRAMES, "spoof"): Kind("type ifname : verdict;"),
    (PACKETS, "zones"): Kind("typeof iifname : ct zone;"),
    (PACKETS, "senders"): Kind("type mark : verdict;"),
    (PACKETS, "receivers"): Kind("type mark : verdict;"),
    (PACKETS, "loose"): Kind("type mark;"),
    (PACKETS, "tracked"): Kind("type ifname . ether_addr;"),
    (PACKETS, "owned4"): Kind("type ifname . ipv4_addr;"),
    (PACKETS, "owned6"): Kind("type ifname . ipv6_addr;"),
    (PACKETS, "vnis"): Kind("typeof @th,96,24 : verdict;"),
}


def bridge_objects(open_mark: str) -> Objects:
    """Return what is there before any port is. ``open_mark`` is that of who is not guarded."""
    chains = {**_frames(open_mark), **_packets(open_mark), **_common()}
    return Objects(chains, SETS, {place(PACKETS, "loose", open_mark): ""})


def _hook(where: str, priority: int) -> str:
    return f"type filter hook {where} priority {priority}; policy accept;"


def _frames(open_mark: str) -> Mapping[Name, Chain]:
    return {
        # The bridges of others are left alone.
        (FRAMES, "sent"): Chain(
            (
                "iifname @closed drop",
                "iifname != @known accept",
                # IP behind a tag is not shown to the filters of IP, and would leave by the uplink with its tag.
                f"{_TAGGED} drop",
                "meta mark set iifname map @sends",
                "iifname vmap @spoof",
                "accept",
            ),
            _hook("prerouting", -300),
        ),
        (FRAMES, "passing"): Chain(
            (
                "oifname @closed drop",
                "iifname != @known oifname != @known accept",
                "iifname != @known drop",
                "oifname != @known drop",
                _ANY,
                "meta mark set oifname map @gets",
                # Who is guarded gets nothing that cannot be looked at.
                f"meta mark != {open_mark} ether type != {{ ip, arp, ip6 }} drop",
                "accept",
            ),
            _hook("forward", -300),
        ),
        # Nobody talks to the host itself, which may have an address on one of its devices.
        (FRAMES, "local"): Chain(("iifname @guests drop", "accept"), _hook("input", -300)),
        # What was not shown to the filters of IP has its mark still; it may mean something to those of others as well.
        (FRAMES, "leaving"): Chain(
            (
                "oifname != @known accept",
                "ether type { ip, ip6 } meta mark != 0x00000000 drop",
                _ANY,
                "accept",
            ),
            _hook("postrouting", 300),
        ),
    }


def _packets(open_mark: str) -> Mapping[Name, Chain]:
    return {
        # Before fragments are put together, so that those of one network are not mixed with those of another. Nobody
        # answers from the address of a group. Of those who may be anybody only what a guarded port gets is tracked,
        # unless it says it is from a guarded port. Only what is tracked is put together, so all fragments are.
        (PACKETS, "zoned"): Chain(
            (
                'iifname != "brq*" accept',
                "ip frag-off & 0x3fff != 0x0 goto tracking",
                "exthdr frag exists goto tracking",
                "meta pkttype { broadcast, multicast } notrack accept",
                "meta mark @loose iifname . ether daddr != @tracked notrack accept",
                f"meta mark {open_mark} iifname . ip saddr @owned4 notrack accept",
                f"meta mark {open_mark} iifname . ip6 saddr @owned6 notrack accept",
                "goto tracking",
            ),
            _hook("prerouting", -450),
        ),
        (PACKETS, "tracking"): Chain(("ct zone set iifname map @zones", "accept")),
        (PACKETS, "sending"): Chain(
            (
                f"{_OURS} meta mark {open_mark} accept",
                f"{_OURS} meta mark vmap @senders",
                f"{_OURS} drop",
                "accept",
            ),
            _hook("prerouting", -150),
        ),
        (PACKETS, "getting"): Chain(
            (
                f"{_OURS} meta mark {open_mark} accept",
                f"{_OURS} meta mark vmap @receivers",
                f"{_OURS} drop",
                "accept",
            ),
            _hook("forward", -150),
        ),
        # What passed the one before.
        (PACKETS, "passed"): Chain((f"{_OURS} {_ANY}", "accept"), _hook("forward", -149)),
        # Of networks that are carried here, only from hosts that carry them.
        (PACKETS, "tunnelled"): Chain(("udp dport 4789 @th,96,24 vmap @vnis", "accept"), _hook("input", -150)),
    }


def _common() -> Mapping[Name, Chain]:
    return {
        (FRAMES, "services"): Chain(("udp dport 68 drop", "accept")),
        (FRAMES, "services6"): Chain(_SERVICES6),
        (FRAMES, "options"): Chain(_OPTIONS),
        (FRAMES, "nobody6"): Chain(
            (
                "exthdr frag exists drop",
                "icmpv6 type { 131, 132, 133, 143 } accept",
                f"icmpv6 type {_SOLICITATION} goto options",
                "return",
            )
        ),
        # Fragments are whole here: what was hidden by being cut is seen.
        (PACKETS, "asks"): Chain(
            (
                "ip protocol udp udp dport 68 drop",
                "meta nfproto ipv6 udp dport 546 drop",
                "icmpv6 type { 130, 134, 137 } drop",
                "ip protocol udp udp sport 68 udp dport 67 accept",
                "meta nfproto ipv6 udp sport 546 udp dport 547 accept",
                "icmpv6 type { 131, 132, 133, 135, 136, 143 } accept",
                "return",
            )
        ),
        (PACKETS, "told"): Chain(
            (
                "ip protocol udp udp sport 67 udp dport 68 accept",
                "meta nfproto ipv6 udp sport 547 udp dport 546 accept",
                "icmpv6 type { 130, 134, 135, 136 } accept",
                "return",
            )
        ),
        # What goes its way is asked again with every packet; only answers pass for being answers.
        (PACKETS, "state"): Chain(
            (
                "ct state invalid drop",
                "ct direction reply ct state established accept",
                "ct state related accept",
                "return",
            )
        ),
    }


_SERVICES6 = (
    "udp dport 546 drop",
    "icmpv6 type { 130, 134, 137 } drop",
    # RFC 6980: neighbour discovery is never fragmented.
    "icmpv6 type { 135, 136 } exthdr frag exists drop",
    "icmpv6 type { 135, 136 } goto options",
    # What shows its type, or its port; what is a later fragment; and what is something else altogether.
    "icmpv6 type != 134 accept",
    "udp dport != 546 accept",
    "frag frag-off != 0 accept",
    "meta l4proto { icmpv6, udp } drop",
    # RFC 7112: headers that go on beyond the first fragment show no protocol.
    "meta l4proto != icmpv6 accept",
    "drop",
)


# Neighbour discovery has its options from its 24th byte on, in units of 8 bytes; what the first of them tells is looked
# at for each port, and behind it no MAC may be told.
_OPTIONS = (
    "ip6 length > 72 drop",
    *(f"ip6 length > {at} @th,{8 * at},8 {{ 1, 2 }} drop" for at in range(32, 72, 8)),
    "return",
)
