"""IPv4 and MAC addresses between text and bytes, for the few places where ``ipaddress`` is too slow for one frame.

The texts come from records, so they are canonical; they are not checked again here.
"""

from __future__ import annotations

NO_ADDRESS = bytes(4)
EVERYONE = b"\xff\xff\xff\xff"
EVERY_MAC = b"\xff\xff\xff\xff\xff\xff"


def pack_ip(text: str) -> bytes:
    """Return the 4 bytes of a dotted IPv4 address."""
    return bytes(map(int, text.split(".")))


def show_ip(packed: bytes) -> str:
    """Return 4 bytes as a dotted IPv4 address."""
    return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}"


def pack_mac(text: str) -> bytes:
    """Return the 6 bytes of a MAC address written with colons."""
    return bytes.fromhex(text.replace(":", ""))


def split_prefix(cidr: str) -> tuple[bytes, int]:
    """Return the network address (4 bytes) and prefix length of ``10.0.0.0/24``."""
    address, _, length = cidr.partition("/")
    return pack_ip(address), int(length)


def mask_of(prefix_length: int) -> bytes:
    """Return the 4 bytes of the netmask of a prefix length."""
    return (0xFFFFFFFF << (32 - prefix_length) & 0xFFFFFFFF).to_bytes(4, "big")


def broadcast_of(network: bytes, prefix_length: int) -> bytes:
    """Return the last address of a prefix."""
    return (int.from_bytes(network, "big") | (0xFFFFFFFF >> prefix_length)).to_bytes(4, "big")


def is_inside(address: bytes, network: bytes, prefix_length: int) -> bool:
    """Whether an address is of a prefix."""
    shift = 32 - prefix_length
    return int.from_bytes(address, "big") >> shift == int.from_bytes(network, "big") >> shift
