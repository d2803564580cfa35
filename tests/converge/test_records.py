"""Records: whatever the order in which messages arrive, the newest content wins."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.compile.digest import bucket_of, difference, differing_buckets, digest_buckets
from quantumd.converge.records import Records
from quantumd.model.messages import BUCKETS, FetchReply, Gone, Update
from quantumd.model.records import FixedIp, PortRecord, key_of

PORT = PortRecord("p1", 5, "n1", "fa:16:3e:00:00:01", (FixedIp("s1", "10.0.0.5"),), True, "compute:nova")
NEWER = evolve(PORT, version=6, mac_address="fa:16:3e:00:00:02")


def _update(*put: PortRecord, gone: tuple[Gone, ...] = ()) -> Update:
    return Update("host", "l2", put, gone)


class RecordsTests(SynchronousTestCase):
    """Puts, removals and comparisons."""

    def test_put_changes_once(self) -> None:
        """A repeated message is harmless: the second time nothing changed."""
        records = Records()
        self.assertEqual(records.apply(_update(PORT)), {key_of(PORT)})
        self.assertEqual(records.apply(_update(PORT)), frozenset())

    def test_older_put_loses(self) -> None:
        """A message that was overtaken by a newer one changes nothing."""
        records = Records()
        records.apply(_update(NEWER))
        self.assertEqual(records.apply(_update(PORT)), frozenset())
        self.assertEqual(records.get("l2.port", "p1"), NEWER)

    def test_put_from_before_the_removal_loses(self) -> None:
        """A port that was deleted does not come back by a late message."""
        records = Records()
        records.apply(_update(PORT))
        records.apply(_update(gone=(Gone("l2.port", "p1", 9),)))
        self.assertEqual(records.apply(_update(NEWER)), frozenset())

    def test_what_never_was_here_and_is_gone_is_told_once(self) -> None:
        """With its addresses, to whoever takes them; repeated, late or of a record that was here it is no news."""
        records, gone = Records(), Gone("l2.port", "p9", 9, True, "n1", ("10.0.0.9",))
        self.assertEqual(records.apply(_update(gone=(gone,))), {("l2.port", "p9")})
        self.assertEqual([records.take_ended("l2.port", "p9") for _ in range(2)], [gone, None])
        self.assertEqual(records.apply(_update(gone=(gone, evolve(gone, version=8)))), frozenset())
        records.apply(_update(PORT))
        self.assertEqual(records.apply(_update(gone=(evolve(gone, id="p1"),))), {key_of(PORT)})
        self.assertIsNone(records.take_ended("l2.port", "p1"))

    def test_same_record_comes_back(self) -> None:
        """What a host was rid of at the record's own version may come back unchanged."""
        records = Records()
        records.apply(_update(PORT))
        records.apply(_update(gone=(Gone("l2.port", "p1", 5),)))
        self.assertEqual(records.apply(_update(PORT)), {key_of(PORT)})

    def test_replace_removes_what_is_not_named(self) -> None:
        """A fetched bucket holds exactly what the server said."""
        records = Records()
        records.apply(_update(PORT))
        changed = records.replace((bucket_of(key_of(PORT)),), (), 7)
        self.assertEqual(changed, {key_of(PORT)})
        self.assertEqual(len(records), 0)

    def test_what_a_comparison_took_away_comes_back_unchanged(self) -> None:
        """A network that a host did not need for a while is taken again, though it is older than the comparison."""
        records = Records()
        records.apply(_update(PORT))
        records.replace((bucket_of(key_of(PORT)),), (), 99)
        self.assertEqual(records.apply(_update(PORT)), {key_of(PORT)})

    def test_replace_keeps_what_is_newer(self) -> None:
        """An update that overtook the fetch stays."""
        records = Records()
        records.apply(_update(evolve(PORT, version=9)))
        records.replace((bucket_of(key_of(PORT)),), (), 7)
        self.assertEqual(len(records), 1)

    @given(
        st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5)),
        st.dictionaries(st.sampled_from("abcdef"), st.integers(6, 9)),
    )
    def test_what_differs_makes_both_sides_equal(self, theirs: dict[str, int], ours: dict[str, int]) -> None:
        """Only that is fetched, whatever each side has in its buckets."""
        records = Records()
        records.apply(_update(*(evolve(PORT, id=name, version=version) for name, version in theirs.items())))
        wanted = [evolve(PORT, id=name, version=theirs.get(name, version)) for name, version in ours.items()]
        held = records.held_in(range(BUCKETS))
        missing, gone = difference(wanted, held)
        changed = records.correct(held, FetchReply(10, missing, gone))
        self.assertEqual(set(records), set(wanted))
        self.assertEqual({name for _, name in changed}, theirs.keys() ^ ours.keys())
        self.assertEqual(len(missing), len(ours.keys() - theirs.keys()))

    def test_what_overtook_the_answer_stays(self) -> None:
        """A newer record of what the answer takes away, and what is gone already."""
        records = Records()
        records.apply(_update(PORT, evolve(PORT, id="p2")))
        held = records.held_in(range(BUCKETS))
        records.apply(_update(evolve(PORT, version=20), gone=(Gone("l2.port", "p2", 20),)))
        self.assertEqual(records.correct(held, FetchReply(10, (), tuple(held))), frozenset())
        self.assertEqual(len(records), 1)

    @given(st.permutations([_update(PORT), _update(NEWER), _update(gone=(Gone("l2.port", "p1", 7),))]))
    def test_order_does_not_matter(self, updates: list[Update]) -> None:
        """In whatever order the messages of a port's life arrive, it is gone in the end."""
        records = Records()
        for update in updates:
            records.apply(update)
        self.assertEqual(len(records), 0)

    def test_digests_find_the_difference(self) -> None:
        """Two sides find the bucket in which they differ, and no other."""
        ours = [evolve(PORT, id=f"p{n}") for n in range(50)]
        records = Records()
        records.apply(_update(*ours[1:], evolve(ours[0], version=4)))
        theirs = [(bucket, text) for bucket in range(BUCKETS) if (text := records.digest(bucket)) is not None]
        self.assertEqual(differing_buckets(digest_buckets(ours), theirs), (bucket_of(key_of(ours[0])),))

    def test_digest_follows_changes(self) -> None:
        """A digest is that of the present content."""
        records = Records()
        bucket = bucket_of(key_of(PORT))
        records.apply(_update(PORT))
        first = records.digest(bucket)
        records.apply(_update(NEWER))
        self.assertNotEqual(records.digest(bucket), first)
        records.apply(_update(gone=(Gone("l2.port", "p1", 7),)))
        self.assertIsNone(records.digest(bucket))
