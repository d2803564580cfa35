"""Laws of addresses: what holds for every subnet, every pool and every choice."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.addresses import (
    Pool,
    address_text,
    automatic_gateway,
    automatic_pools,
    first_overlap,
    ip_key,
    ip_key_of,
    is_port_address,
    overlapping_pools,
    pool_out_of_bounds,
)
from quantumd.model.free_addresses import Occupancy, free_numbers, pieces_from

SMALL_V4 = st.builds(
    lambda number, length: str(IPv4Network((number, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(25, 32),
)
SMALL_V6 = st.builds(
    lambda number, length: str(IPv6Network((number, length), strict=False)),
    st.integers(0, 2**128 - 1),
    st.integers(121, 128),
)
SMALL_CIDRS = st.one_of(SMALL_V4, SMALL_V6)


@st.composite
def disjoint_pools(draw: st.DrawFn) -> tuple[Pool, ...]:
    """Up to four pools of up to 200 addresses, in any order, with gaps or without."""
    pools, position = [], draw(st.integers(0, 1000))
    for _ in range(draw(st.integers(1, 4))):
        first = position + draw(st.integers(0, 5))
        last = first + draw(st.integers(0, 199))
        pools.append(Pool(4, first, last))
        position = last + 1
    return tuple(draw(st.permutations(pools)))


def numbers(pools: tuple[Pool, ...]) -> list[int]:
    """Return every address of the pools."""
    return [number for pool in pools for number in range(pool.first, pool.last + 1)]


class AutomaticPoolLaws(SynchronousTestCase):
    """Pools that nobody named."""

    @settings(deadline=None)
    @given(SMALL_CIDRS, st.data())
    def test_pools_and_gateway_cover_exactly_what_ports_can_have(self, cidr: str, data: st.DataObject) -> None:
        """Every address of the subnet that ports can have is in a pool, once, unless it is the gateway."""
        network = ip_network(cidr)
        gateway = data.draw(
            st.none() | st.integers(0, network.num_addresses - 1).map(lambda index: str(network[index]))
        )
        found = numbers(automatic_pools(cidr, gateway))
        assume(network.num_addresses > 1)
        usable = {int(each) for each in network if is_port_address(cidr, str(each))}
        if network.version == 6:
            usable.discard(int(network.network_address))
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(set(found), usable - ({int(ip_address(gateway))} if gateway else set()))

    @settings(deadline=None)
    @given(SMALL_CIDRS)
    def test_automatic_pools_pass_the_checks_of_named_ones(self, cidr: str) -> None:
        """What quantumd makes up it would accept."""
        pools = automatic_pools(cidr, automatic_gateway(cidr))
        self.assertIsNone(pool_out_of_bounds(cidr, pools))
        self.assertIsNone(overlapping_pools(pools))

    @settings(deadline=None)
    @given(SMALL_CIDRS)
    def test_automatic_gateway_is_never_given_to_a_port(self, cidr: str) -> None:
        """No pool has the automatic gateway, unless the subnet has a single address."""
        gateway = automatic_gateway(cidr)
        assume(gateway is not None and ip_network(cidr).num_addresses > 1)
        self.assertNotIn(int(ip_address(str(gateway))), numbers(automatic_pools(cidr, gateway)))


def occupancy(taken: set[int]) -> Occupancy:
    """Return what the search asks of a database in which these are taken."""

    def within(piece: Pool) -> set[int]:
        return {number for number in taken if number in piece}

    return Occupancy(within, lambda piece: len(within(piece)))


class ChoiceLaws(SynchronousTestCase):
    """The search for free addresses."""

    @settings(deadline=None)
    @given(disjoint_pools(), st.data())
    def test_what_is_found_is_free_and_in_a_pool(self, pools: tuple[Pool, ...], data: st.DataObject) -> None:
        """As many as are wanted, or every one that is free; none twice."""
        every = numbers(pools)
        taken = set(data.draw(st.lists(st.sampled_from(every), unique=True)))
        wanted = data.draw(st.integers(1, 300))
        found = free_numbers(pools, occupancy(taken), data.draw(st.lists(st.integers(0, 2**64), max_size=3)), wanted)
        free = set(every) - taken
        self.assertEqual(len(set(found)), len(found))
        self.assertLessEqual(set(found), free)
        self.assertEqual(len(found), min(wanted, len(free)))

    @settings(deadline=None)
    @given(st.integers(0, 4999), st.integers(0, 2**64))
    def test_last_free_address_is_found(self, free: int, start: int) -> None:
        """With one address left among thousands, every start finds it."""
        pools = (Pool(4, 0, 1999), Pool(4, 2000, 4999))
        self.assertEqual(free_numbers(pools, occupancy(set(range(5000)) - {free}), (start,)), [free])

    @settings(deadline=None)
    @given(disjoint_pools(), st.integers(0, 2**64))
    def test_full_pools_give_none(self, pools: tuple[Pool, ...], start: int) -> None:
        """Nothing is left, nothing is found."""
        self.assertEqual(free_numbers(pools, occupancy(set(numbers(pools))), (start,)), [])

    @settings(deadline=None)
    @given(disjoint_pools(), st.integers(0, 2**64))
    def test_pieces_cover_every_address_once(self, pools: tuple[Pool, ...], start: int) -> None:
        """Wherever the search begins, it looks at each address exactly once."""
        looked_at = numbers(tuple(pieces_from(pools, start)))
        self.assertEqual(sorted(looked_at), sorted(numbers(pools)))

    @settings(deadline=None)
    @given(st.integers(0, 2**64))
    def test_nearly_empty_subnet_is_read_once(self, start: int) -> None:
        """A /64 with few ports costs one look at 16 addresses or less."""
        asked: list[Pool] = []

        def numbers_in(piece: Pool) -> set[int]:
            asked.append(piece)
            return set()

        free_numbers(automatic_pools("fd00::/64", None), Occupancy(numbers_in, lambda _: 0), (start,))
        self.assertEqual([piece.size <= 16 for piece in asked], [True])


class KeyLaws(SynchronousTestCase):
    """How addresses are kept."""

    @settings(deadline=None)
    @given(st.sampled_from((4, 6)), st.data())
    def test_order_of_keys_is_order_of_addresses(self, version: int, data: st.DataObject) -> None:
        """Comparing two keys as text compares the addresses."""
        number = st.integers(0, 2 ** (32 if version == 4 else 128) - 1)
        left, right = data.draw(number), data.draw(number)
        self.assertEqual(ip_key(version, left) < ip_key(version, right), left < right)

    @settings(deadline=None)
    @given(st.sampled_from((4, 6)), st.data())
    def test_key_of_text_is_key_of_number(self, version: int, data: st.DataObject) -> None:
        """Text and number of an address lead to the same key."""
        number = data.draw(st.integers(0, 2 ** (32 if version == 4 else 128) - 1))
        self.assertEqual(ip_key_of(address_text(version, number)), ip_key(version, number))


class OverlapLaws(SynchronousTestCase):
    """Prefixes that share addresses."""

    @settings(deadline=None)
    @given(SMALL_CIDRS, SMALL_CIDRS)
    def test_overlap_means_a_shared_address(self, left: str, right: str) -> None:
        """Two prefixes overlap exactly when one holds the other's first address."""
        one, other = ip_network(left), ip_network(right)
        shares = one.network_address in other or other.network_address in one
        self.assertEqual(first_overlap(left, [right]) is not None, shares)
