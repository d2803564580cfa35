"""Which packets a rule of a security group is about, as matches; who is on the other side is not said here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quantumd.edge.openflow.match import Value
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6, IP_ICMP, IP_ICMPV6, IP_SCTP, IP_TCP, IP_UDP
from quantumd.model.security import IPV6
from quantumd.model.security_records import SecurityRule

_PORTS: Mapping[int, str] = {IP_TCP: "tcp_dst", IP_UDP: "udp_dst", IP_SCTP: "sctp_dst"}
_ICMP: Mapping[int, str] = {IP_ICMP: "icmp", IP_ICMPV6: "icmpv6"}
_LATER_FRAGMENT = 3
_IPV6_FRAGMENT = 44
_PORT_BITS = 16

_Fields = dict[str, Value]


def rule_matches(rule: SecurityRule) -> Iterator[_Fields]:
    """Yield the fields of each match that the rule needs; of protocols whose ports OVS does not see, none.

    The protocol 0 is every protocol, as of iptables(8). A later fragment has no ports: it passes where the rule would
    let one with some port pass. Nobody makes a packet of it whose first fragment was dropped. Those of IPv6 do not even
    have a protocol that OVS could see.
    """
    kind: _Fields = {"eth_type": ETH_IPV6 if rule.ethertype == IPV6 else ETH_IPV4}
    if not rule.protocol:
        yield kind
        return
    specific = list(_specific(rule.protocol, rule.first, rule.last))
    yield from ({**kind, "ip_proto": rule.protocol, **fields} for fields in specific)
    if rule.ethertype == IPV6 and specific:
        yield {**kind, "ip_proto": _IPV6_FRAGMENT, "ip_frag": _LATER_FRAGMENT}
    elif rule.first is not None and specific:
        yield {**kind, "ip_proto": rule.protocol, "ip_frag": _LATER_FRAGMENT}


def _specific(protocol: int, first: int | None, last: int | None) -> Iterator[_Fields]:
    if first is None:
        yield {}
    elif protocol in _ICMP:
        code: _Fields = {} if last is None else {f"{_ICMP[protocol]}_code": last}
        yield {f"{_ICMP[protocol]}_type": first, **code}
    elif protocol in _PORTS and last is not None:
        yield from ({_PORTS[protocol]: part} for part in port_parts(first, last))


def port_parts(first: int, last: int) -> Iterator[Value]:
    """Yield (value, mask) of the fewest masked values that are the ports from first to last, and no others."""
    while first <= last:
        # The largest aligned block that begins here and does not go beyond the end.
        size = first & -first or 1 << _PORT_BITS
        while first + size - 1 > last:
            size >>= 1
        yield first, ((1 << _PORT_BITS) - 1) & ~(size - 1)
        first += size
