"""Security groups: who is tracked, what a policy's rules let pass, and when a connection is remembered.

A connection has one entry in its network's zone, whoever guards it: the sender's groups and the receiver's are asked in
turn, and it is remembered only when both have let it pass. What goes its way is asked again with every packet; only
answers pass for being answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network

from quantumd.edge.openflow.actions import conjunction, ct, instructions, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, mac, match
from quantumd.edge.openflow.oxm import CT_STATE_BITS, ETH_ARP, ETH_IPV4, ETH_IPV6, IP_ICMPV6, IP_UDP
from quantumd.l2.drivers.ovs.desired import PolicyView, PortView, RemoteView, SetView
from quantumd.l2.drivers.ovs.features.port_security import link_local
from quantumd.l2.drivers.ovs.features.rule_matches import rule_matches
from quantumd.l2.drivers.ovs.pipeline import (
    EGRESS_POLICY,
    INGRESS_POLICY,
    NETWORK,
    OUT_PORT,
    REMEMBERED,
    Feature,
    Table,
    cookie,
    go_to,
)
from quantumd.model.records import PortRecord

_MULTICAST = 0x01_00_00_00_00_00
_ASKS_FOR_ADDRESS = ((ETH_IPV4, 68, 67), (ETH_IPV6, 546, 547))
_GIVES_ADDRESS = ((ETH_IPV4, 67, 68), (ETH_IPV6, 547, 546))
"""Ethertype, source port and destination port of DHCP."""

_NEIGHBOUR_MESSAGES = (135, 136)
_ASKS_NETWORK = (*_NEIGHBOUR_MESSAGES, 131, 132, 133, 143)
_FROM_NETWORK = (*_NEIGHBOUR_MESSAGES, 130, 134)

_RULE_PRIORITY, _SET_PRIORITY = 70, 60

RULES: Mapping[str, Table] = {"egress": Table.EGRESS_RULES, "ingress": Table.INGRESS_RULES}
_COMMIT: Mapping[str, Table] = {"egress": Table.EGRESS_COMMIT, "ingress": Table.INGRESS_COMMIT}
_POLICY: Mapping[str, str] = {"egress": EGRESS_POLICY, "ingress": INGRESS_POLICY}
_REMOTE: Mapping[str, str] = {"egress": "dst", "ingress": "src"}


def bridge_flows() -> Iterator[Flow]:
    """What is the same for all ports: what is never asked about, and what becomes of answers."""
    mark = cookie(Feature.FIREWALL, 0)
    for table, following, asked, told in (
        (Table.FIREWALL_EGRESS, Table.REDIRECT, _ASKS_FOR_ADDRESS, _ASKS_NETWORK),
        (Table.FIREWALL_INGRESS, Table.QOS_INGRESS, _GIVES_ADDRESS, _FROM_NETWORK),
    ):
        yield Flow(table, 200, match(eth_type=ETH_ARP), mark, go_to(following))
        for kind, source, target in asked:
            dhcp = match(eth_type=kind, ip_proto=IP_UDP, udp_src=source, udp_dst=target)
            yield Flow(table, 200, dhcp, mark, go_to(following))
        for kind in told:
            message = match(eth_type=ETH_IPV6, ip_proto=IP_ICMPV6, icmpv6_type=kind, ip_frag=0)
            yield Flow(table, 200, message, mark, go_to(following))
    yield from _state_flows(Table.EGRESS_STATE, Table.EGRESS_RULES, Table.REDIRECT, mark)
    yield from _state_flows(Table.INGRESS_STATE, Table.INGRESS_RULES, Table.QOS_INGRESS, mark)
    yield from _commit_flows(Table.EGRESS_COMMIT, Table.REDIRECT, mark)
    yield from _commit_flows(Table.INGRESS_COMMIT, Table.QOS_INGRESS, mark)


def _state_flows(table: Table, rules: Table, following: Table, mark: int) -> Iterator[Flow]:
    # Nobody answers from the address of a group, so it is never remembered; tracking it once for each receiver of a
    # network would be most of what a broadcast costs.
    yield Flow(table, 70, match(eth_dst=(_MULTICAST, _MULTICAST)), mark, go_to(rules))
    for kind in (ETH_IPV4, ETH_IPV6):
        # The copy that was tracked comes to this table again.
        tracked = instructions(ct(zone=NETWORK, table=table))
        yield Flow(table, 60, match(eth_type=kind, ct_state=_state("-trk")), mark, tracked)
    yield Flow(table, 50, match(ct_state=_state("-trk")), mark, b"")
    yield Flow(table, 50, match(ct_state=_state("+trk+inv")), mark, b"")
    yield Flow(table, 40, match(ct_state=_state("+trk+est+rpl")), mark, go_to(following))
    yield Flow(table, 40, match(ct_state=_state("+trk+rel")), mark, go_to(following))


def _commit_flows(table: Table, following: Table, mark: int) -> Iterator[Flow]:
    remember = ct(commit=True, zone=NETWORK, nested=set_field("ct_mark", REMEMBERED))
    yield Flow(table, 90, match(eth_dst=(_MULTICAST, _MULTICAST)), mark, go_to(following))
    for kind in (ETH_IPV4, ETH_IPV6):
        yield Flow(
            table, 50, match(eth_type=kind, ct_state=_state("+trk+new")), mark,
            go_to(following, remember),
        )  # fmt: skip


def port_flows(view: PortView) -> Iterator[Flow]:
    """Ask the port's policy about what it sends and what it gets."""
    if not view.port.port_security:
        return
    mark, number = cookie(Feature.FIREWALL, view.number), view.policy_number
    asked = (Table.EGRESS_STATE, Table.INGRESS_STATE) if view.is_stateful else (Table.EGRESS_RULES, Table.INGRESS_RULES)
    sends, gets = match(**view.sends), match(**{OUT_PORT: view.number})
    yield Flow(Table.FIREWALL_EGRESS, 100, sends, mark, go_to(asked[0], set_field(EGRESS_POLICY, number)))
    yield Flow(Table.FIREWALL_INGRESS, 100, gets, mark, go_to(asked[1], set_field(INGRESS_POLICY, number)))
    # What has yet to pass a receiver here is not remembered before that.
    network = {NETWORK: view.network_number}
    to_mac: dict[str, Value] = {"eth_dst": mac(view.port.mac_address)}
    for to_port in (to_mac, *_new(view.port, "dst")):
        yield Flow(Table.EGRESS_COMMIT, 100, match(**to_port, **network), mark, go_to(Table.REDIRECT))
    # Nor what the port did not say: of guarded senders only it has its addresses, others can forge them.
    for by_port in _new(view.port, "src"):
        forged = match(**by_port, **network, **{EGRESS_POLICY: 0})
        yield Flow(Table.INGRESS_COMMIT, 100, forged, mark, go_to(Table.QOS_INGRESS))


def _new(port: PortRecord, end: str) -> Iterator[dict[str, Value]]:
    """New connections to, or from, an address of the port, whatever MAC is there: errors about them would pass.

    With the state, addresses do not matter to what the datapath learns of known connections.
    """
    addresses = [int(ip_address(each.ip_address)) for each in port.fixed_ips if ":" in each.ip_address]
    for number in dict.fromkeys((*addresses, link_local(mac(port.mac_address)))):
        yield {"ct_state": _state("+trk+new"), "eth_type": ETH_IPV6, f"ipv6_{end}": number}
    for each in port.fixed_ips:
        if ":" not in each.ip_address:
            number = int(ip_address(each.ip_address))
            yield {"ct_state": _state("+trk+new"), "eth_type": ETH_IPV4, f"ipv4_{end}": number}


def policy_flows(view: PolicyView) -> Iterator[Flow]:
    """What the rules of all groups of a policy let pass. Rules about sets say one half, ``remote_flows`` the other."""
    mark = cookie(Feature.FIREWALL, view.number)
    halves: defaultdict[tuple[Table, bytes], set[int]] = defaultdict(set)
    for rule in view.rules:
        table, remote = RULES[rule.direction], _REMOTE[rule.direction]
        fields: dict[str, Value] = {_POLICY[rule.direction]: view.number}
        if rule.cidr is not None:
            fields |= _address(remote, rule.cidr)
        for matched in rule_matches(rule):
            packed = match(**fields, **matched)
            if rule.remote_set is None:
                yield Flow(table, _RULE_PRIORITY, packed, mark, go_to(_COMMIT[rule.direction]))
            else:
                halves[table, packed].add(view.set_numbers[rule.remote_set])
    for (table, packed), numbers in halves.items():
        yield Flow(table, _SET_PRIORITY, packed, mark, _clauses(numbers, 2))


def set_flows(view: SetView) -> Iterator[Flow]:
    """Let pass what both halves match."""
    mark = cookie(Feature.FIREWALL, view.number)
    for direction in view.directions:
        yield Flow(RULES[direction], _SET_PRIORITY, match(conj_id=view.number), mark, go_to(_COMMIT[direction]))


def remote_flows(view: RemoteView) -> Iterator[Flow]:
    """Say in which sets an address is: one flow for all of them, as of two with the same match the last would win."""
    mark = cookie(Feature.FIREWALL, 0)
    for direction, numbers in view.set_numbers.items():
        fields = {"eth_type": _ethertype(view.cidr), **_address(_REMOTE[direction], view.cidr)}
        yield Flow(RULES[direction], _SET_PRIORITY, match(**fields), mark, _clauses(numbers, 1))


def _clauses(numbers: Iterable[int], clause: int) -> bytes:
    return instructions(b"".join(conjunction(number, clause, 2) for number in sorted(numbers)))


def _address(end: str, cidr: str) -> dict[str, Value]:
    network = ip_network(cidr)
    return {f"ipv{network.version}_{end}": (int(network.network_address), int(network.netmask))}


def _ethertype(cidr: str) -> int:
    return ETH_IPV6 if ":" in cidr else ETH_IPV4


def _state(text: str) -> tuple[int, int]:
    """Return the value and mask of a state as ovs-fields(7) writes it."""
    value = mask = 0
    for at in range(0, len(text), 4):
        bit = CT_STATE_BITS[text[at + 1 : at + 4]]
        mask |= bit
        value |= bit if text[at] == "+" else 0
    return value, mask
