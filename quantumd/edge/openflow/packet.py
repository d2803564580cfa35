"""A frame seen as OpenFlow fields: read, set, tagged and untagged, its checksums kept right."""

from __future__ import annotations

from attrs import define, field

from quantumd.edge.openflow.oxm import (
    ETH_ARP,
    ETH_IPV4,
    ETH_IPV6,
    ETH_QINQ,
    ETH_VLAN,
    IP_ICMP,
    IP_ICMPV6,
    IP_SCTP,
    IP_TCP,
    IP_UDP,
    VLAN_PRESENT,
)

_IPV6_OPTIONS = (0, 43, 60)
_IPV6_FRAGMENT, _IPV6_AUTH = 44, 51
_LATER_FRAGMENT = 3
_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT = 135, 136
_LINK_LAYER = {1: "nd_sll", 2: "nd_tll"}

Place = tuple[int, int]
"""Where a field stands in the frame: first byte, number of bytes."""


@define
class Packet:
    """One frame. ``get`` gives 0 for fields that the frame has not, as OVS does."""

    frame: bytearray
    _places: dict[str, Place] = field(factory=dict)
    _values: dict[str, int] = field(factory=dict)
    _ip_checksum: int | None = None
    _l4_checksum: int | None = None
    _pseudo: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        self._look()

    def copy(self) -> Packet:
        """Return a frame of its own with the same bytes."""
        return Packet(bytearray(self.frame))

    def get(self, name: str) -> int:
        """Return the value of a field."""
        if name in self._values:
            return self._values[name]
        place = self._places.get(name)
        return int.from_bytes(self.frame[place[0] : place[0] + place[1]], "big") if place else 0

    def set(self, name: str, value: int) -> None:
        """Set a field; a frame that has not got it stays as it is."""
        if name == "vlan_vid":
            self._set_vlan(value)
            return
        if name == "ip_dscp":
            self._set_dscp(value)
            return
        place = self._places.get(name)
        if place is None:
            return
        at, size = place
        new = value.to_bytes(size, "big")
        self._fix_checksums(name, at, new)
        self.frame[at : at + size] = new
        self._look()

    def push_vlan(self, ethertype: int) -> None:
        """Put a tag of VLAN 0 after the addresses."""
        self.frame[12:12] = ethertype.to_bytes(2, "big") + bytes(2)
        self._look()

    def pop_vlan(self) -> None:
        """Take the outer tag off, if there is one."""
        if self.get("vlan_vid"):
            del self.frame[12:16]
            self._look()

    def _set_vlan(self, vid: int) -> None:
        if not self.get("vlan_vid"):
            self.push_vlan(ETH_VLAN)
        priority = self.frame[14] & 0xF0
        self.frame[14:16] = (priority << 8 | vid & 0xFFF).to_bytes(2, "big")
        self._look()

    def _set_dscp(self, value: int) -> None:
        if "ip_dscp" not in self._values:
            return
        # The first two bytes of both headers: IPv4 has its six bits at the second, IPv6 across both.
        at = self._places["eth_type"][0] + 2
        shift = 2 if self._ip_checksum is not None else 6
        new = (self._number(at, 2) & ~(0x3F << shift) | value << shift).to_bytes(2, "big")
        if self._ip_checksum is not None:
            self._fix(self._ip_checksum, at, new)
        self.frame[at : at + 2] = new
        self._look()

    def _look(self) -> None:
        """Find out which fields the frame has and where."""
        self._places = {"eth_dst": (0, 6), "eth_src": (6, 6)}
        self._values = {}
        self._ip_checksum = self._l4_checksum = None
        frame = self.frame
        at = 12
        if self._number(at, 2) in (ETH_VLAN, ETH_QINQ) and len(frame) >= 18:
            self._values["vlan_vid"] = VLAN_PRESENT | self._number(14, 2) & 0xFFF
            at = 16
        self._places["eth_type"] = (at, 2)
        looks = {ETH_IPV4: self._look_ipv4, ETH_IPV6: self._look_ipv6, ETH_ARP: self._look_arp}
        look = looks.get(self._number(at, 2))
        if look is not None:
            look(at + 2)

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.frame[at : at + size], "big")

    def _look_arp(self, at: int) -> None:
        # Only ARP of IPv4 over Ethernet has these fields.
        if len(self.frame) < at + 28 or self.frame[at : at + 6] != b"\x00\x01\x08\x00\x06\x04":
            return
        self._places |= {
            "arp_op": (at + 6, 2), "arp_sha": (at + 8, 6), "arp_spa": (at + 14, 4),
            "arp_tha": (at + 18, 6), "arp_tpa": (at + 24, 4),
        }  # fmt: skip
        if self._number(at + 6, 2) > 0xFF:
            self._values["arp_op"] = 0

    def _look_ipv4(self, at: int) -> None:
        frame = self.frame
        header = (frame[at] & 0xF) * 4 if len(frame) > at else 0
        total = self._number(at + 2, 2)
        if header < 20 or frame[at] >> 4 != 4 or total < header or len(frame) < at + total:
            return
        self._places |= {
            "ip_ttl": (at + 8, 1), "ip_proto": (at + 9, 1), "ipv4_src": (at + 12, 4), "ipv4_dst": (at + 16, 4),
        }  # fmt: skip
        self._ip_checksum = at + 10
        self._pseudo = ("ipv4_src", "ipv4_dst")
        self._values["ip_dscp"] = frame[at + 1] >> 2
        fragment = self._number(at + 6, 2)
        later = bool(fragment & 0x1FFF)
        self._values["ip_frag"] = (3 if later else 1) if fragment & 0x3FFF else 0
        if not later:
            self._look_transport(frame[at + 9], at + header, at + total)

    def _look_ipv6(self, at: int) -> None:
        frame = self.frame
        if len(frame) < at + 40 or frame[at] >> 4 != 6 or len(frame) < at + 40 + self._number(at + 4, 2):
            return
        end = at + 40 + self._number(at + 4, 2)
        self._places |= {"ipv6_src": (at + 8, 16), "ipv6_dst": (at + 24, 16)}
        self._pseudo = ("ipv6_src", "ipv6_dst")
        self._values["ip_dscp"] = self._number(at, 2) >> 6 & 0x3F
        found = self._pass_headers(frame[at + 6], at + 40, end)
        if found is None:
            return
        self._places["ip_ttl"] = (at + 7, 1)
        self._values["ip_proto"], start, self._values["ip_frag"] = found
        if found[2] != _LATER_FRAGMENT:
            self._look_transport(found[0], start, end)

    def _pass_headers(self, kind: int, start: int, end: int) -> tuple[int, int, int] | None:
        """Return what follows the extension headers, where, and which fragment this is; None when they are cut off."""
        fragment = 0
        while kind in (*_IPV6_OPTIONS, _IPV6_FRAGMENT, _IPV6_AUTH):
            if start + 8 > end:
                return None
            length = (self.frame[start + 1] + 1) * 8
            if kind == _IPV6_FRAGMENT:
                length, offset_and_more = 8, self._number(start + 2, 2)
                if offset_and_more & 0xFFF8:
                    return kind, start, _LATER_FRAGMENT
                fragment = fragment or offset_and_more & 1
            elif kind == _IPV6_AUTH:
                length = (self.frame[start + 1] + 2) * 4
            kind, start = self.frame[start], start + length
            if start > end:
                return None
        return kind, start, fragment

    def _look_transport(self, kind: int, at: int, end: int) -> None:
        if kind == IP_TCP and at + 20 <= end:
            self._places |= {"tcp_src": (at, 2), "tcp_dst": (at + 2, 2)}
            self._l4_checksum = at + 16
        elif kind == IP_UDP and at + 8 <= end:
            self._places |= {"udp_src": (at, 2), "udp_dst": (at + 2, 2)}
            # A checksum of zero says that there is none (RFC 768); it stays so.
            self._l4_checksum = at + 6 if self._number(at + 6, 2) else None
        elif kind == IP_SCTP and at + 12 <= end:
            # Its checksum (CRC-32C, RFC 9260) is left as it is: nothing of it is changed here.
            self._places |= {"sctp_src": (at, 2), "sctp_dst": (at + 2, 2)}
        elif kind == IP_ICMP and at + 8 <= end:
            self._places |= {"icmp_type": (at, 1), "icmp_code": (at + 1, 1)}
            self._l4_checksum = at + 2
            self._pseudo = ()
        elif kind == IP_ICMPV6 and at + 4 <= end:
            self._places |= {"icmpv6_type": (at, 1), "icmpv6_code": (at + 1, 1)}
            self._l4_checksum = at + 2
            self._look_neighbour(at, end)

    def _look_neighbour(self, at: int, end: int) -> None:
        kind = self.frame[at]
        if kind not in (_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT) or self.frame[at + 1] or at + 24 > end:
            return
        self._places |= {"nd_reserved": (at + 4, 4), "nd_target": (at + 8, 16)}
        option = at + 24
        while option + 8 <= end and self.frame[option + 1]:
            length = self.frame[option + 1] * 8
            self._places.setdefault("nd_options_type", (option, 1))
            name = _LINK_LAYER.get(self.frame[option]) if length == 8 else None
            if name in self._places:
                # OVS shows nothing of what tells two addresses.
                for seen in ("nd_target", "nd_sll", "nd_tll"):
                    self._places.pop(seen, None)
                return
            if name is not None:
                self._places[name] = (option + 2, 6)
            option += length

    def _fix_checksums(self, name: str, at: int, new: bytes) -> None:
        in_ip_header = name in ("ipv4_src", "ipv4_dst", "ip_ttl", "ip_proto")
        if in_ip_header and self._ip_checksum is not None:
            self._fix(self._ip_checksum, at, new)
        covered = name[:4] in ("tcp_", "udp_", "icmp", "nd_t", "nd_s", "nd_r", "nd_o") or name in self._pseudo
        if covered and self._l4_checksum is not None:
            self._fix(self._l4_checksum, at, new)

    def _fix(self, checksum_at: int, at: int, new: bytes) -> None:
        """Update a checksum for bytes that change (RFC 1624, equation 3)."""
        # Words are those of the checksummed whole, so odd places take their neighbour along.
        first = at - ((at - checksum_at) & 1)
        last = at + len(new) + ((at + len(new) - first) & 1)
        old = bytes(self.frame[first:last])
        changed = old[: at - first] + new + old[at - first + len(new) :]
        total = ~self._number(checksum_at, 2) & 0xFFFF
        for n in range(0, len(old), 2):
            total += (~int.from_bytes(old[n : n + 2], "big") & 0xFFFF) + int.from_bytes(changed[n : n + 2], "big")
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        self.frame[checksum_at : checksum_at + 2] = (~total & 0xFFFF).to_bytes(2, "big")
