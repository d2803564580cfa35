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
    choose_address,
    first_overlap,
    ip_key,
    ip_key_of,
    is_port_address,
    overlapping_pools,
    pool_out_of_bounds,
    windows,
)

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


class ChoiceLaws(SynchronousTestCase):
    """The choice of a free address."""

    @settings(deadline=None)
    @given(disjoint_pools(), st.data())
    def test_choice_is_free_and_in_a_pool(self, pools: tuple[Pool, ...], data: st.DataObject) -> None:
        """A chosen address is in a pool and not taken; there is none only when every one is taken."""
        every = numbers(pools)
        taken = set(data.draw(st.lists(st.sampled_from(every), unique=True)))
        start = data.draw(st.integers(0, 2**64))
        chosen = choose_address(pools, lambda _: taken, start)
        if chosen is None:
            self.assertEqual(taken, set(every))
        else:
            self.assertIn(chosen, set(every) - taken)

    @settings(deadline=None)
    @given(disjoint_pools(), st.data())
    def test_last_free_address_is_found(self, pools: tuple[Pool, ...], data: st.DataObject) -> None:
        """With one address left, every start finds it."""
        every = numbers(pools)
        free = data.draw(st.sampled_from(every))
        start = data.draw(st.integers(0, 2**64))
        taken = set(every) - {free}
        self.assertEqual(choose_address(pools, lambda window: {n for n in taken if n in window}, start), free)

    @settings(deadline=None)
    @given(disjoint_pools(), st.integers(0, 2**64))
    def test_full_pools_give_none(self, pools: tuple[Pool, ...], start: int) -> None:
        """Nothing is left, nothing is chosen."""
        self.assertIsNone(choose_address(pools, lambda _: set(numbers(pools)), start))

    @settings(deadline=None)
    @given(disjoint_pools(), st.integers(0, 2**64))
    def test_windows_cover_every_address_once(self, pools: tuple[Pool, ...], start: int) -> None:
        """Wherever the search begins, it looks at each address exactly once."""
        looked_at = numbers(tuple(windows(pools, start)))
        self.assertEqual(sorted(looked_at), sorted(numbers(pools)))

    @settings(deadline=None)
    @given(st.integers(0, 2**64))
    def test_nearly_empty_subnet_is_read_in_one_window(self, start: int) -> None:
        """A /64 with few ports costs one look at 64 addresses or less."""
        asked: list[Pool] = []

        def taken_within(window: Pool) -> set[int]:
            asked.append(window)
            return set()

        choose_address(automatic_pools("fd00::/64", None), taken_within, start)
        self.assertEqual([window.size <= 64 for window in asked], [True])


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
