"""What becomes of each thing that a DHCPv6 client wants or has. Source: RFC 8415, 18.3, 21.4 (IA_NA), 21.13."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from quantumd.dhcp.addresses6 import is_inside6
from quantumd.dhcp.message6 import Association
from quantumd.edge.dhcpv6.messages import Code6, Option6, Status6, encode_address, encode_option6, encode_status

Shares = tuple[tuple[bytes, ...], tuple[Option6, ...]]
"""All addresses that are given, and an option for each association."""


@frozen
class Terms:
    """What a port may have: its addresses, for so many seconds, on a link of these prefixes."""

    leases: tuple[bytes, ...]
    lease_seconds: int
    prefixes: tuple[str, ...]

    def foreign_in(self, association: Association) -> list[bytes]:
        """Return the addresses in an association that are not the port's."""
        return [address for address in association.addresses if address not in self.leases]


def offered(associations: Sequence[Association], terms: Terms) -> Shares:
    """Answer who has nothing yet, and may wish for addresses."""
    given: list[bytes] = []
    options: list[Option6] = []
    for association, share in _with_shares(associations, terms.leases):
        given.extend(share)
        options.append(_granted(association, terms, share) if share else _none_available(association))
    return tuple(given), tuple(options)


def requested(associations: Sequence[Association], terms: Terms) -> Shares:
    """Answer who chose this server; who names an address of another link starts anew (RFC 8415 18.3.2)."""
    given: list[bytes] = []
    options: list[Option6] = []
    for association, share in _with_shares(associations, terms.leases):
        if not all(_is_on_link(address, terms) for address in association.addresses):
            options.append(_with_status(association, Status6.NOT_ON_LINK, "address is of another link"))
            continue
        given.extend(share)
        options.append(_granted(association, terms, share) if share else _none_available(association))
    return tuple(given), tuple(options)


def renewed(associations: Sequence[Association], terms: Terms) -> Shares:
    """Answer who has addresses: what is the port's is renewed, and what is not any more ends now."""
    given: list[bytes] = []
    options: list[Option6] = []
    for association, share in _with_shares(associations, terms.leases):
        gone = terms.foreign_in(association) if association.code == Code6.IA_NA else []
        given.extend(share)
        if share or gone:
            options.append(_granted(association, terms, share, gone))
        else:
            options.append(_with_status(association, Status6.NO_BINDING, "the port has no address for this"))
    return tuple(given), tuple(options)


def unknown(associations: Iterable[Association], terms: Terms) -> tuple[Option6, ...]:
    """Return an option for each association that names no address of the port."""
    return tuple(
        _with_status(each, Status6.NO_BINDING, "the port has no such address")
        for each in associations
        if len(terms.foreign_in(each)) == len(each.addresses)
    )


def _with_shares(
    associations: Sequence[Association], leases: tuple[bytes, ...]
) -> tuple[tuple[Association, tuple[bytes, ...]], ...]:
    shares = iter(shared_out([each for each in associations if each.code == Code6.IA_NA], leases))
    return tuple((each, next(shares) if each.code == Code6.IA_NA else ()) for each in associations)


def shared_out(associations: Sequence[Association], leases: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], ...]:
    """Return the addresses of each association: those it names, else the next one that nobody has.

    A client that wants one association gets all addresses of its port in it: a user gave the port several so that the
    VM has them, and most clients never ask for a second one.
    """
    left = list(leases)
    shares: list[list[bytes]] = []
    for association in associations:
        shares.append([address for address in left if address in association.addresses])
        left = [address for address in left if address not in association.addresses]
    for share in shares:
        if not share and left:
            share.append(left.pop(0))
    if len(shares) == 1:
        shares[0].extend(left)
    return tuple(map(tuple, shares))


def _is_on_link(address: bytes, terms: Terms) -> bool:
    return any(is_inside6(address, prefix) for prefix in terms.prefixes)


def _granted(association: Association, terms: Terms, given: Iterable[bytes], gone: Iterable[bytes] = ()) -> Option6:
    """Return an association with the addresses that the client may use, and those that it must use no more.

    It renews after half of a lease, as over IPv4, and asks any server after four fifths of it (RFC 8415 21.4).
    """
    seconds = terms.lease_seconds
    addresses = [encode_address(address, seconds, seconds) for address in given]
    times = (seconds // 2, seconds * 4 // 5) if addresses else (0, 0)
    return _encoded(association, times, (*addresses, *(encode_address(address, 0, 0) for address in gone)))


def _none_available(association: Association) -> Option6:
    if association.code == Code6.IA_PD:
        return _with_status(association, Status6.NO_PREFIX_AVAIL, "no prefixes here")
    return _with_status(association, Status6.NO_ADDRS_AVAIL, "the port has no address for this")


def _with_status(association: Association, status: Status6, text: str) -> Option6:
    return _encoded(association, (0, 0), (encode_option6(*encode_status(status, text)),))


def _encoded(association: Association, times: tuple[int, int], inner: Iterable[bytes]) -> Option6:
    # Temporary addresses are not renewed, so there is no time for that.
    packed = b"" if association.code == Code6.IA_TA else b"".join(each.to_bytes(4, "big") for each in times)
    return association.code, b"".join((association.iaid, packed, *inner))
