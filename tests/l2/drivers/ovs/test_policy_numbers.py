"""Numbers of policies and sets."""

from __future__ import annotations

from hashlib import blake2b

from twisted.trial.unittest import SynchronousTestCase

from quantumd.l2.drivers.ovs.policy_numbers import PolicyNumbers


class PolicyNumberTests(SynchronousTestCase):
    """They follow from names."""

    def test_another_process_gives_the_same_numbers(self) -> None:
        """In whatever order it is asked."""
        names = [f"policy {n}" for n in range(100)]
        one, other = PolicyNumbers(), PolicyNumbers()
        given = {name: one.number_of(name) for name in names}
        self.assertEqual({name: other.number_of(name) for name in reversed(names)}, given)
        self.assertEqual(len(set(given.values())), 100)
        self.assertNotIn(0, given.values())

    def test_two_names_never_have_the_same_number(self) -> None:
        """Though their hashes are equal; a number that is forgotten is free."""
        first, second = same_hash()
        numbers = PolicyNumbers()
        taken = numbers.number_of(first)
        self.assertEqual(numbers.number_of(second), taken + 1)
        numbers.forget(first)
        numbers.forget(second)
        self.assertEqual(numbers.number_of(second), taken)


def same_hash() -> tuple[str, str]:
    """Return two names whose first four bytes of hash are equal: some 70,000 names have such a pair."""
    seen: dict[bytes, str] = {}
    n = 0
    while True:
        digest = blake2b(f"n{n}".encode(), digest_size=4).digest()
        if digest in seen:
            return seen[digest], f"n{n}"
        seen[digest] = f"n{n}"
        n += 1
