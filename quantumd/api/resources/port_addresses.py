"""Which addresses a port gets: those it names, those it computes from its MAC, and free ones for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from attrs import evolve, frozen

from quantumd.api.errors import InvalidInput
from quantumd.api.resources.allocation import Address, Vacancies, address_on
from quantumd.api.resources.errors import InvalidIpForNetwork, InvalidIpForSubnet, IpAddressGenerationFailure
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts
from quantumd.api.resources.host_segments import segments_of_host
from quantumd.api.resources.port_errors import (
    AllocationOnAutoAddressSubnet,
    HostNotConnectedToAnySegment,
    IpAddressGenerationFailureNoMatchingSubnet,
)
from quantumd.model.addresses import eui64_number, is_port_address, prefix_of
from quantumd.model.port import (
    DEFERRED,
    IMMEDIATE,
    NO_ADDRESSES,
    ROUTER_INTERFACE_OWNERS,
    TRUSTED_OWNER_PREFIX,
    automatic_choices,
    computes_addresses,
    reachable,
    serving,
)
from quantumd.store.transaction import Transaction

FixedIps = Sequence[Mapping[str, str]]


@frozen
class Demand:
    """One item of a request's fixed_ips: an address, or a subnet to choose one from."""

    subnet: SubnetFacts
    address: Address | None


@frozen
class Wish:
    """What decides the addresses of a port. ``demands`` of None: one of each IP version.

    ``subnets`` are those that ports of this owner and host may have addresses on; ``ip_allocation`` is what the port
    answers about it.
    """

    network: NetworkFacts
    device_owner: str
    subnets: tuple[SubnetFacts, ...]
    demands: tuple[Demand, ...] | None
    ip_allocation: str

    @property
    def named(self) -> tuple[Address, ...]:
        """The addresses that are named."""
        return tuple(each.address for each in self.demands or () if each.address is not None)


def wish_of(
    tx: Transaction, network: NetworkFacts, device_owner: str, host: str, fixed_ips: FixedIps | None, limit: int
) -> Wish:
    """Return what a port wants that says ``fixed_ips`` (None: nothing of it).

    :raises InvalidInput, InvalidIpForNetwork, InvalidIpForSubnet, AllocationOnAutoAddressSubnet: it cannot have these.
    :raises HostNotConnectedToAnySegment, IpAddressGenerationFailureNoMatchingSubnet: no subnet is for it.
    """
    subnets = _subnets_for(tx, network, device_owner, host, is_named=fixed_ips is not None)
    if fixed_ips is None:
        waits = not subnets and bool(network.subnets)
        return Wish(network, device_owner, subnets, None, DEFERRED if waits else IMMEDIATE)
    demands = _demands(network, subnets, device_owner, fixed_ips, limit)
    return Wish(network, device_owner, subnets, demands, IMMEDIATE if fixed_ips else NO_ADDRESSES)


def _subnets_for(
    tx: Transaction, network: NetworkFacts, device_owner: str, host: str, is_named: bool
) -> tuple[SubnetFacts, ...]:
    """Return the subnets to choose from; none when the port has to wait for its host, or the network has none."""
    found = serving(network.subnets, device_owner)
    is_routed = any(subnet.segment_id is not None for subnet in network.subnets)
    if is_routed and not host:
        if not found:
            raise IpAddressGenerationFailureNoMatchingSubnet(network.id, device_owner)
        return found if is_named else reachable(found, ())
    if is_routed:
        found = reachable(found, segments_of_host(tx, network, host))
        if not found:
            raise HostNotConnectedToAnySegment(host, network.id)
    if not found and network.subnets:
        raise IpAddressGenerationFailureNoMatchingSubnet(network.id, device_owner)
    return found


def _demands(
    network: NetworkFacts, subnets: Sequence[SubnetFacts], device_owner: str, fixed_ips: FixedIps, limit: int
) -> tuple[Demand, ...]:
    if len(fixed_ips) > limit and not device_owner.startswith(TRUSTED_OWNER_PREFIX):
        raise InvalidInput("Exceeded maximum amount of fixed ips per port")
    if fixed_ips and not subnets:
        raise InvalidInput("IP allocation requires subnets for network")
    demands = tuple(_demand(network, subnets, item) for item in fixed_ips)
    named = [demand.address for demand in demands if demand.address is not None]
    for index, address in enumerate(named):
        if address in named[:index]:
            raise InvalidInput(f"Duplicate IP address '{address.text}'")
    # Computed addresses come by themselves on every subnet that has them.
    return tuple(each for each in demands if each.address is not None or not _is_computed(each.subnet, device_owner))


def _demand(network: NetworkFacts, subnets: Sequence[SubnetFacts], item: Mapping[str, str]) -> Demand:
    subnet_id, text = item.get("subnet_id"), item.get("ip_address")
    if subnet_id is None:
        return _by_address(subnets, text or "")
    subnet = next((each for each in subnets if each.id == subnet_id), None)
    if subnet is None:
        raise InvalidInput(
            f"Failed to create port on network {network.id}, because fixed_ips included invalid subnet {subnet_id}"
        )
    if text is None:
        return Demand(subnet, None)
    if not is_port_address(subnet.cidr, text):
        raise InvalidIpForSubnet(text)
    return Demand(subnet, address_on(subnet, text))


def _by_address(subnets: Sequence[SubnetFacts], text: str) -> Demand:
    parsed = ip_address(text)
    subnet = next((each for each in subnets if parsed in prefix_of(each.cidr)), None)
    if subnet is None:
        raise InvalidIpForNetwork(text)
    if not is_port_address(subnet.cidr, text):
        raise InvalidIpForSubnet(text)
    return Demand(subnet, address_on(subnet, text))


def _is_computed(subnet: SubnetFacts, device_owner: str) -> bool:
    return subnet.is_auto_address and computes_addresses(device_owner)


def chosen_addresses(
    wish: Wish, mac_address: str, vacancies: Vacancies, had: Sequence[Address] = ()
) -> tuple[Address, ...]:
    """Return the addresses that the wish comes to, in order; computed ones are last.

    :param had: what the port has now: an address of it stays where the demand leaves the choice open.
    :raises IpAddressGenerationFailure: nothing is free.
    :raises AllocationOnAutoAddressSubnet: an address is named where they are computed.
    """
    computed = computed_addresses(wish, mac_address)
    if wish.demands is None:
        return (*_automatic(wish, vacancies), *computed)
    demanded = _demanded(wish, wish.demands, computed, vacancies, had)
    return (*demanded, *(each for each in computed if each not in demanded))


def computed_addresses(wish: Wish, mac_address: str) -> tuple[Address, ...]:
    """Return the addresses that the port makes of its MAC."""
    return tuple(
        Address(subnet.id, 6, eui64_number(subnet.cidr, mac_address))
        for subnet in wish.subnets
        if _is_computed(subnet, wish.device_owner)
    )


def _automatic(wish: Wish, vacancies: Vacancies) -> list[Address]:
    chosen = []
    for group in automatic_choices(wish.subnets):
        found = next(filter(None, (vacancies.take(subnet) for subnet in group)), None)
        if found is None:
            raise IpAddressGenerationFailure(wish.network.id)
        chosen.append(found)
    return chosen


def _demanded(
    wish: Wish,
    demands: Sequence[Demand],
    computed: Sequence[Address],
    vacancies: Vacancies,
    had: Sequence[Address],
) -> tuple[Address, ...]:
    spare = [address for address in had if address not in wish.named]
    vacancies.speak_for((*wish.named, *had))
    chosen: list[Address] = []
    for demand in demands:
        if demand.address is not None:
            if _is_refused(wish, demand, computed, had):
                raise AllocationOnAutoAddressSubnet(demand.address.text, demand.subnet.id)
            if not _is_stale(demand, wish, computed):
                chosen.append(demand.address)
            continue
        kept = next((address for address in spare if address.subnet_id == demand.subnet.id), None)
        if kept is not None:
            spare.remove(kept)
        found = kept or vacancies.take(demand.subnet)
        if found is None:
            raise IpAddressGenerationFailure(wish.network.id)
        chosen.append(found)
    return tuple(chosen)


def _is_refused(wish: Wish, demand: Demand, computed: Sequence[Address], had: Sequence[Address]) -> bool:
    """Whether an address is named on a subnet where nobody names one; a client may send back what it was shown."""
    if not demand.subnet.is_auto_address or wish.device_owner in ROUTER_INTERFACE_OWNERS:
        return False
    return demand.address not in had and demand.address not in computed


def _is_stale(demand: Demand, wish: Wish, computed: Sequence[Address]) -> bool:
    """Whether the address was computed from a MAC that the port no longer has."""
    return _is_computed(demand.subnet, wish.device_owner) and demand.address not in computed


def with_mac(wish: Wish, had: Sequence[Address]) -> Wish:
    """Return the wish to keep what the port has; what was computed is computed anew from its new MAC."""
    by_id = {subnet.id: subnet for subnet in wish.subnets}
    kept = (
        Demand(by_id[each.subnet_id], each)
        for each in had
        if each.subnet_id in by_id and not _is_computed(by_id[each.subnet_id], wish.device_owner)
    )
    return evolve(wish, demands=tuple(kept))
