"""Advertises routers on their links: now and then, when something changed, and to whoever asks.

Source: RFC 4861, 6.2; the times are its own, but for those who ask, who are answered at once and by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import define, evolve, field, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.edge.solicitations.interfaces import EVERYBODY, ISolicitations
from quantumd.errors import EdgeError
from quantumd.l3.advertisement import LIFETIME_SECONDS, advertisement
from quantumd.l3.names import INSIDE, PREFIX, inner_of, namespace_of, router_in
from quantumd.model.router_records import AdvertisedPrefix, RouterLink, RouterRecord

FIRST_SECONDS: Final = (0.0, 1.0, 4.0, 16.0)
"""When a link that is new, or changed, is told."""
BETWEEN_SECONDS: Final = (200.0, 600.0)
"""Afterwards it is told at times between these."""
ANSWERS_PER_SECOND: Final = 20.0
"""Of a link. Who is not answered asks again."""
WITHDRAWN_SECONDS: Final = 5400.0
"""How long a link is told of a prefix that is its no more (RFC 9096, 3.5); some hosts may not hear it at once."""
_NOBODY: Final = "::"


@define
class _Told:
    """A link that is advertised on."""

    link: RouterLink
    allowance: float = ANSWERS_PER_SECOND
    asked_at: float = 0.0
    timer: IDelayedCall | None = None
    withdrawn: dict[AdvertisedPrefix, float] = field(factory=dict)
    """Prefixes of before, and until when they are told of."""

    def become(self, link: RouterLink | None, now: float) -> dict[AdvertisedPrefix, float]:
        """Return what is withdrawn when the link is another one, or (None) is advertised no more."""
        stay = {each.prefix for each in link.advertised} if link is not None else set()
        gone = dict.fromkeys(self.link.advertised, now + WITHDRAWN_SECONDS)
        every = {**self.withdrawn, **gone}
        return {each: until for each, until in every.items() if each.prefix not in stay and until > now}

    def may_answer(self, now: float) -> bool:
        """Whether somebody may be answered now; he is counted."""
        passed, self.asked_at = now - self.asked_at, now
        self.allowance = min(self.allowance + passed * ANSWERS_PER_SECOND, ANSWERS_PER_SECOND)
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


@frozen
class _Place:
    namespace: str
    device: str


@define(eq=False)
class Advertiser:
    """Advertises the routers that it is given; ``random`` returns a number from 0 to 1."""

    _solicitations: ISolicitations
    _clock: IReactorTime
    _random: Callable[[], float]
    _prefix: str = PREFIX
    _times: Callable[[str, str], tuple[int, int] | None] = lambda router_id, prefix: None
    """Returns for how many seconds, at most, a prefix of a router is preferred and valid."""
    _told: dict[_Place, _Told] = field(factory=dict, init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._solicitations.on_solicitation(self._asked)

    def put(self, router: RouterRecord) -> None:
        """Advertise a router, which is there, as its record asks."""
        links = _advertised_links(router) if router.admin_state_up else {}
        namespace = namespace_of(router.id, self._prefix)
        for place in [each for each in self._told if each.namespace == namespace]:
            if place.device not in links:
                self._withdraw(place, router)
                self._end(place)
        if not links:
            self._solicitations.close(namespace)
            return
        opening = self._solicitations.open(namespace)
        opening.addCallbacks(lambda _: self._begin(namespace, links), self._cannot_open, errbackArgs=(router.id,))

    def cease(self, router_id: str, devices: frozenset[str]) -> None:
        """Tell hosts on the links of these devices, which go, to use the router no more."""
        for place in [each for each in self._told if each.namespace == namespace_of(router_id, self._prefix)]:
            if place.device in devices:
                self._say(place, EVERYBODY, lifetime_seconds=0)
                self._end(place)

    def forget(self, router_id: str) -> None:
        """Advertise a router no more."""
        namespace = namespace_of(router_id, self._prefix)
        for place in [each for each in self._told if each.namespace == namespace]:
            self._end(place)
        self._solicitations.close(namespace)

    def stop(self) -> None:
        """Say nothing any more; hosts go on as they are."""
        for place in tuple(self._told):
            self._end(place)
        self._solicitations.stop()

    def _begin(self, namespace: str, links: Mapping[str, RouterLink]) -> None:
        for device, link in links.items():
            place = _Place(namespace, device)
            told = self._told.get(place)
            if told is None or told.link != link:
                withdrawn = {}
                if told is not None:
                    withdrawn = told.become(link, self._clock.seconds())
                    self._end(place)
                self._told[place] = _Told(link, withdrawn=withdrawn)
                self._tell(place, FIRST_SECONDS)

    def _withdraw(self, place: _Place, router: RouterRecord) -> None:
        """Tell a link that stays, and has no prefix any more, that it is left."""
        if router.admin_state_up and place.device in {inner_of(INSIDE, each.port_id) for each in router.interfaces}:
            told = self._told[place]
            told.withdrawn = told.become(None, self._clock.seconds())
            told.link = evolve(told.link, advertised=())
            self._say(place, EVERYBODY, lifetime_seconds=0)

    def _cannot_open(self, failure: Failure, router_id: str) -> None:
        failure.trap(EdgeError)
        # The router itself is there; who asks for it is answered as soon as it is put again.
        self._log.warn("router {router} cannot be advertised: {why}", router=router_id, why=failure.getErrorMessage())

    def _tell(self, place: _Place, times: tuple[float, ...]) -> None:
        """Tell a link at these times from now, in seconds, and then now and then."""
        told = self._told[place]
        passed = 0.0
        if times:
            passed, *rest = times
            later = tuple(each - passed for each in rest)
        else:
            least, most = BETWEEN_SECONDS
            passed, later = least + self._random() * (most - least), ()

        def fire() -> None:
            self._say(place, EVERYBODY)
            self._tell(place, later)

        told.timer = self._clock.callLater(passed, fire)

    def _end(self, place: _Place) -> None:
        told = self._told.pop(place)
        if told.timer is not None and told.timer.active():
            told.timer.cancel()

    def _asked(self, namespace: str, device: str, source: str) -> None:
        place = _Place(namespace, device)
        told = self._told.get(place)
        if told is not None and told.may_answer(self._clock.seconds()):
            self._say(place, EVERYBODY if source == _NOBODY else source)

    def _say(self, place: _Place, target: str, lifetime_seconds: int = LIFETIME_SECONDS) -> None:
        told = self._told[place]
        now, router_id = self._clock.seconds(), router_in(place.namespace, self._prefix)
        withdrawn = tuple(each for each, until in told.withdrawn.items() if until > now)
        message = advertisement(told.link, lifetime_seconds, lambda prefix: self._times(router_id, prefix), withdrawn)
        self._solicitations.send(place.namespace, place.device, target, message)


def _advertised_links(router: RouterRecord) -> dict[str, RouterLink]:
    return {inner_of(INSIDE, link.port_id): link for link in router.interfaces if link.advertised}
