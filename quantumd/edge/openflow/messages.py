"""Messages to the switch, packed. Each takes its transaction id last.

Sources: OpenFlow 1.4.0, 7.3; nicira-ext.h of OVS for the packet-in format and controller id.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from quantumd.edge.openflow.framing import HEADER, VERSION
from quantumd.edge.openflow.interfaces import Flow, Group, Meter

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER = 0, 1, 2, 3, 4
FEATURES_REQUEST, FEATURES_REPLY, SET_CONFIG = 5, 6, 9
PACKET_IN, PORT_STATUS, PACKET_OUT, FLOW_MOD, GROUP_MOD = 10, 12, 13, 14, 15
MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY = 18, 19, 20, 21
SET_ASYNC, METER_MOD, BUNDLE_CONTROL, BUNDLE_ADD = 28, 29, 33, 34

MULTIPART_FLOW, MULTIPART_GROUP, MULTIPART_METER_STATS, MULTIPART_METER = 1, 7, 9, 10
MULTIPART_PORTS, MULTIPART_MONITOR = 13, 16

BUNDLE_OPEN, BUNDLE_CLOSE, BUNDLE_COMMIT, BUNDLE_DISCARD = 0, 2, 4, 6
BUNDLE_ATOMIC_ORDERED = 3

NICIRA = 0x00002320
NICIRA_SET_PACKET_IN_FORMAT, NICIRA_SET_CONTROLLER_ID, NICIRA_PACKET_IN2 = 16, 20, 30

ADD, MODIFY, DELETE, DELETE_STRICT = 0, 1, 3, 4
GROUP_ADD_OR_MODIFY, GROUP_DELETE = 0x8000, 2
GROUP_ALL, GROUP_SELECT = 0, 1
METER_ADD, METER_MODIFY, METER_DELETE = 0, 1, 2

ALL_TABLES = 0xFF
ANY = 0xFFFFFFFF
NO_BUFFER = 0xFFFFFFFF
METER_KBPS, METER_PKTPS, METER_BURST = 1, 2, 4
_OXM_MATCH = 1

_FLOW_MOD = Struct("!BBHIQQBBHHHIIIHHHH")
_BUNDLED_FLOW_MOD = Struct("!BBHIIHHBBHIQQBBHHHIIIHHHH")
_BUNDLE_HEAD = Struct("!BBHIIHH")
_GROUP_MOD = Struct("!BBHIHBxI")
_BUCKET = Struct("!HHII4x")
_METER_MOD = Struct("!BBHIHHI")
_METER_BAND = Struct("!HHII4x")
_MULTIPART = Struct("!BBHIHH4x")
_FLOW_REQUEST = Struct("!B3xII4xQQHH4x")
_MONITOR_REQUEST = Struct("!IIIHBBHH4x")
_PACKET_OUT = Struct("!BBHIIIH6x")
_CONFIG = Struct("!HH")
_NICIRA = Struct("!II")
_ASYNC = Struct("!HHI")
_PADDING = tuple(bytes(n) for n in range(8))
_FLOW_MOD_FIXED = 48
_BUNDLE_FIXED = 16


def message(kind: int, body: bytes, xid: int) -> bytes:
    """Pack any message."""
    return HEADER.pack(VERSION, kind, HEADER.size + len(body), xid) + body


def hello(xid: int) -> bytes:
    """Say that this side speaks OpenFlow 1.4 and nothing else (the version bitmap of 1.3.1 and later)."""
    return message(HELLO, Struct("!HHI").pack(1, 8, 1 << VERSION), xid)


def echo_request(xid: int) -> bytes:
    """Ask for a sign of life."""
    return message(ECHO_REQUEST, b"", xid)


def echo_reply(payload: bytes, xid: int) -> bytes:
    """Give a sign of life: payload and transaction id are those of the request."""
    return message(ECHO_REPLY, payload, xid)


def barrier(xid: int) -> bytes:
    """Ask for a reply once everything sent before has been done."""
    return message(BARRIER_REQUEST, b"", xid)


_FRAGMENTS_NX_MATCH = 3


def set_config(miss_send_len: int, xid: int) -> bytes:
    """Say how much of a frame packet-ins carry, and that the first fragment of a packet is seen with its ports.

    On the management socket OVS sends nothing of its own accord before this was sent with a length above 0. Fragments
    are a matter of the bridge, so every connection has to say the same of them (ovs-ofctl(8), set-frags).
    """
    return message(SET_CONFIG, _CONFIG.pack(_FRAGMENTS_NX_MATCH, miss_send_len), xid)


def set_async(packet_in: int, port_status: int, flow_removed: int, xid: int) -> bytes:
    """Choose what the switch sends of its own accord: masks of reasons."""
    body = b"".join(
        _ASYNC.pack(kind + role, 8, mask)
        for kind, mask in ((0, packet_in), (2, port_status), (4, flow_removed))
        for role in (0, 1)
    )
    return message(SET_ASYNC, body, xid)


def nicira(subtype: int, body: bytes, xid: int) -> bytes:
    """Pack a message of the Nicira extensions."""
    return message(EXPERIMENTER, _NICIRA.pack(NICIRA, subtype) + body, xid)


def set_packet_in2(xid: int) -> bytes:
    """Ask for packet-ins in the format that carries userdata (NXT_PACKET_IN2)."""
    return nicira(NICIRA_SET_PACKET_IN_FORMAT, (2).to_bytes(4, "big"), xid)


def set_controller_id(number: int, xid: int) -> bytes:
    """Take a controller id: only frames sent to this id arrive on the connection."""
    return nicira(NICIRA_SET_CONTROLLER_ID, bytes(6) + number.to_bytes(2, "big"), xid)


def flow_mod(command: int, flow: Flow, xid: int) -> bytes:
    """Pack one change of a flow: ADD adds or replaces, DELETE_STRICT removes exactly this key."""
    match, body = flow.match, flow.instructions if command == ADD else b""
    pad = -(len(match) + 4) % 8
    length = _FLOW_MOD_FIXED + 4 + len(match) + pad + len(body)
    head = _FLOW_MOD.pack(
        VERSION, FLOW_MOD, length, xid, flow.cookie, 0, flow.table, command, 0, 0, flow.priority,
        NO_BUFFER, ANY, ANY, 0, 0, _OXM_MATCH, 4 + len(match),
    )  # fmt: skip
    return head + match + _PADDING[pad] + body


def bundled_flow_mod(bundle: int, command: int, flow: Flow, xid: int) -> bytes:
    """Pack one change of a flow inside a bundle-add; as fast as can be, for it runs for tens of thousands at once.

    :raises struct.error: the flow is longer than a message can be (64 KiB).
    """
    match, body = flow.match, flow.instructions if command == ADD else b""
    pad = -(len(match) + 4) % 8
    length = _FLOW_MOD_FIXED + 4 + len(match) + pad + len(body)
    head = _BUNDLED_FLOW_MOD.pack(
        VERSION, BUNDLE_ADD, length + _BUNDLE_FIXED, xid, bundle, 0, BUNDLE_ATOMIC_ORDERED,
        VERSION, FLOW_MOD, length, xid, flow.cookie, 0, flow.table, command, 0, 0, flow.priority,
        NO_BUFFER, ANY, ANY, 0, 0, _OXM_MATCH, 4 + len(match),
    )  # fmt: skip
    return head + match + _PADDING[pad] + body


def bundle_control(bundle: int, control: int, xid: int) -> bytes:
    """Open, commit or discard a bundle."""
    return _BUNDLE_HEAD.pack(VERSION, BUNDLE_CONTROL, _BUNDLE_HEAD.size, xid, bundle, control, BUNDLE_ATOMIC_ORDERED)


def group_put(group: Group, xid: int) -> bytes:
    """Add or replace a group (OFPGC_ADD_OR_MOD of OVS); of a SELECT group all buckets weigh the same."""
    kind, weight = (GROUP_SELECT, 1) if group.is_select else (GROUP_ALL, 0)
    buckets = b"".join(
        _BUCKET.pack(_BUCKET.size + len(actions), weight, ANY, ANY) + actions for actions in group.buckets
    )
    size = _GROUP_MOD.size + len(buckets)
    return _GROUP_MOD.pack(VERSION, GROUP_MOD, size, xid, GROUP_ADD_OR_MODIFY, kind, group.number) + buckets


def group_delete(number: int, xid: int) -> bytes:
    """Remove a group; none of that number is no error."""
    return _GROUP_MOD.pack(VERSION, GROUP_MOD, _GROUP_MOD.size, xid, GROUP_DELETE, 0, number)


def meter_mod(command: int, meter: Meter, xid: int) -> bytes:
    """Add (refused when there) or modify (refused when not there) a meter that drops."""
    band = _METER_BAND.pack(1, _METER_BAND.size, meter.rate, meter.burst)
    size = _METER_MOD.size + len(band)
    flags = (METER_KBPS if meter.is_kbps else METER_PKTPS) | METER_BURST
    return _METER_MOD.pack(VERSION, METER_MOD, size, xid, command, flags, meter.number) + band


def meter_delete(number: int, xid: int) -> bytes:
    """Remove a meter, and with it every flow that passes it; none of that number is no error."""
    return _METER_MOD.pack(VERSION, METER_MOD, _METER_MOD.size, xid, METER_DELETE, 0, number)


def multipart(kind: int, body: bytes, xid: int) -> bytes:
    """Ask for a list."""
    return _MULTIPART.pack(VERSION, MULTIPART_REQUEST, _MULTIPART.size + len(body), xid, kind, 0) + body


def ask_flows(xid: int) -> bytes:
    """Ask for every flow of every table."""
    body = _FLOW_REQUEST.pack(ALL_TABLES, ANY, ANY, 0, 0, _OXM_MATCH, 4)
    return multipart(MULTIPART_FLOW, body, xid)


_MONITOR_COMINGS_AND_GOINGS = 2 | 4 | 8
_MONITOR_ADD = 0


def ask_to_hear_of_flows(xid: int) -> bytes:
    """Ask to be told of flows that come, go and change; of those that we change ourselves, only that we did."""
    body = _MONITOR_REQUEST.pack(1, ANY, ANY, _MONITOR_COMINGS_AND_GOINGS, ALL_TABLES, _MONITOR_ADD, _OXM_MATCH, 4)
    return multipart(MULTIPART_MONITOR, body, xid)


def ask_groups(xid: int) -> bytes:
    """Ask for every group with its buckets."""
    return multipart(MULTIPART_GROUP, b"", xid)


def ask_meters(xid: int) -> bytes:
    """Ask for every meter."""
    return multipart(MULTIPART_METER, (0xFFFFFFFF).to_bytes(4, "big") + bytes(4), xid)


def ask_drops(meter: int, xid: int) -> bytes:
    """Ask what a meter has done so far."""
    return multipart(MULTIPART_METER_STATS, meter.to_bytes(4, "big") + bytes(4), xid)


def ask_ports(xid: int) -> bytes:
    """Ask for every port."""
    return multipart(MULTIPART_PORTS, b"", xid)


def packet_out(in_port: int, actions: Sequence[bytes], frame: bytes, xid: int) -> bytes:
    """Give a frame to actions, as if it had come in by ``in_port``."""
    packed = b"".join(actions)
    size = _PACKET_OUT.size + len(packed) + len(frame)
    head = _PACKET_OUT.pack(VERSION, PACKET_OUT, size, xid, NO_BUFFER, in_port, len(packed))
    return head + packed + frame
