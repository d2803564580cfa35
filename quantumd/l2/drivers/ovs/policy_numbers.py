"""Host-local numbers of policies and of sets of addresses: 32 bits that follow from their names."""

from __future__ import annotations

from hashlib import blake2b

from attrs import define, field

_LAST = (1 << 32) - 1


@define
class PolicyNumbers:
    """Gives each name a number. A process that starts anew gives the same ones, so nothing has to be kept.

    Two names have the same hash once in some billions; then the second has the number after it.
    """

    _given: dict[str, int] = field(factory=dict, init=False)
    _names: dict[int, str] = field(factory=dict, init=False)

    def number_of(self, name: str) -> int:
        """Return the number of a name, 1 to 2^32 - 1."""
        number = self._given.get(name)
        if number is None:
            number = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big")
            while number == 0 or number in self._names:
                number = number + 1 if number < _LAST else 1
            self._given[name], self._names[number] = number, name
        return number

    def forget(self, name: str) -> None:
        """Note that nothing has the name's number any more."""
        number = self._given.pop(name, None)
        if number is not None:
            del self._names[number]
