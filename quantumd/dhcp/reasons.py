"""Why a frame got no answer: short names that serve as labels of a counter."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What became of a frame; everything but ANSWERED and NOTED is a drop."""

    ANSWERED = "answered"
    NOTED = "noted"
    """A DECLINE or RELEASE: nothing is sent back, and addresses belong to the port whatever its device says."""

    # What is no sound UDP datagram.
    FRAME_TRUNCATED = "frame_truncated"
    FRAME_TAGGED = "frame_tagged"
    NOT_IPV4 = "not_ipv4"
    NOT_IPV6 = "not_ipv6"
    BAD_IP_HEADER = "bad_ip_header"
    BAD_IP_CHECKSUM = "bad_ip_checksum"
    FRAGMENT = "fragment"
    NOT_UDP = "not_udp"
    BAD_UDP_LENGTH = "bad_udp_length"
    BAD_UDP_CHECKSUM = "bad_udp_checksum"

    # What is no sound DHCP request.
    NOT_TO_SERVER_PORT = "not_to_server_port"
    MESSAGE_TRUNCATED = "message_truncated"
    MESSAGE_TOO_LONG = "message_too_long"
    NOT_A_REQUEST = "not_a_request"
    NOT_ETHERNET = "not_ethernet"
    NO_COOKIE = "no_cookie"
    OPTION_OVERRUN = "option_overrun"
    BAD_OPTION = "bad_option"
    NO_MESSAGE_TYPE = "no_message_type"
    NO_CLIENT_ID = "no_client_id"
    NOT_BY_MULTICAST = "not_by_multicast"

    # What is sound, and not answered.
    FOREIGN_MAC = "foreign_mac"
    RELAYED = "relayed"
    OTHER_SERVER = "other_server"
    NOT_SERVED = "not_served"
    NO_ADDRESS_NAMED = "no_address_named"
    FOREIGN_ADDRESS = "foreign_address"

    # What the service drops before it looks.
    UNKNOWN_PORT = "unknown_port"
    RATE_LIMITED = "rate_limited"
