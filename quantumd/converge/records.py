"""The records that one role of one host knows, and how two sides find out where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import define, field

from quantumd.compile.digest import bucket_of, digest_bucket, digest_record
from quantumd.model.messages import FetchReply, Gone, Update
from quantumd.model.records import VERSIONED_BY_READING, Record, RecordKey, key_of

_TOMBSTONES_LIMIT = 10_000


@define
class Records:
    """A growing and shrinking set of records where of two with the same key the higher version wins."""

    _by_kind: dict[str, dict[str, Record]] = field(factory=dict, init=False)
    _gone: dict[RecordKey, int] = field(factory=dict, init=False)
    _deleted: set[RecordKey] = field(factory=set, init=False)
    """Those of what is gone that were deleted."""
    _ended: dict[RecordKey, Gone] = field(factory=dict, init=False)
    """Those that had addresses and never were here, until that is taken."""
    _buckets: dict[int, set[RecordKey]] = field(factory=dict, init=False)
    _digests: dict[int, str] = field(factory=dict, init=False)
    _position: int = field(default=0, init=False)

    @property
    def position(self) -> int:
        """The newest position of the journal that anything here is from, be it of what is gone."""
        return self._position

    def get(self, kind: str, record_id: str) -> Record | None:
        """Return the record of that kind and id, or None."""
        return self._by_kind.get(kind, {}).get(record_id)

    def was_deleted(self, kind: str, record_id: str) -> bool:
        """Whether what a record was about is known to be deleted, and not only needed no longer here."""
        return (kind, record_id) in self._deleted

    def take_ended(self, kind: str, record_id: str) -> Gone | None:
        """Return what was said of the addresses of a record that is gone and never was here; nothing the next time."""
        return self._ended.pop((kind, record_id), None)

    def of_kind(self, kind: str) -> Iterable[Record]:
        """Return every record of a kind, in no particular order."""
        return self._by_kind.get(kind, {}).values()

    def __len__(self) -> int:
        return sum(len(records) for records in self._by_kind.values())

    def __iter__(self) -> Iterator[Record]:
        for records in self._by_kind.values():
            yield from records.values()

    def apply(self, update: Update) -> frozenset[RecordKey]:
        """Take what is newer than what is known; return the keys that really changed."""
        changed = {key_of(record) for record in update.put if self._put(record)}
        changed.update((gone.kind, gone.id) for gone in update.gone if self._remove(gone))
        return frozenset(changed)

    def replace(self, buckets: Iterable[int], records: Iterable[Record], position: int) -> frozenset[RecordKey]:
        """Make these buckets hold exactly these records, as of journal position ``position``; return changed keys.

        What is newer than the position came in an update that overtook this answer, and stays.
        """
        wanted = {key_of(record): record for record in records}
        changed = {key for key, record in wanted.items() if self._put(record)}
        for bucket in buckets:
            for key in tuple(self._buckets.get(bucket, ())):
                if key not in wanted and self._withdraw(key, position):
                    changed.add(key)
        return frozenset(changed)

    def held_in(self, buckets: Iterable[int]) -> dict[str, RecordKey]:
        """Return what is in these buckets, by the digests of the records."""
        keys = (key for bucket in buckets for key in self._buckets.get(bucket, ()))
        return {digest_record(self._by_kind[kind][record_id]): (kind, record_id) for kind, record_id in keys}

    def correct(self, held: Mapping[str, RecordKey], reply: FetchReply) -> frozenset[RecordKey]:
        """Take what differs from what was held when the server was asked; return changed keys.

        What is newer than the answer came in an update that overtook it, and stays.
        """
        wanted = {key_of(record): record for record in reply.records}
        changed = {key for key, record in wanted.items() if self._put(record)}
        lost = (held[digest] for digest in reply.gone if digest in held)
        withdrawn = (key for key in lost if key not in wanted and self.get(*key) is not None)
        changed.update(key for key in withdrawn if self._withdraw(key, reply.position))
        return frozenset(changed)

    def _withdraw(self, key: RecordKey, position: int) -> bool:
        known = self._by_kind[key[0]][key[1]]
        if known.version > position:
            return False
        # No longer needed is not deleted: the same record, as old as it is, may be needed again.
        return self._remove(Gone(key[0], key[1], known.version))

    def digest(self, bucket: int) -> str | None:
        """Return the digest of a bucket, None when it is empty; computed again only after a change in it."""
        keys = self._buckets.get(bucket)
        if not keys:
            return None
        if bucket not in self._digests:
            self._digests[bucket] = digest_bucket(self._by_kind[kind][record_id] for kind, record_id in keys)
        return self._digests[bucket]

    def _put(self, record: Record) -> bool:
        key = key_of(record)
        known = self.get(*key)
        if known is not None and known.version > record.version:
            return False
        if known == record or self._gone.get(key, 0) > record.version:
            return False
        self._gone.pop(key, None)
        self._deleted.discard(key)
        if record.kind not in VERSIONED_BY_READING:
            self._position = max(self._position, record.version)
        self._by_kind.setdefault(record.kind, {})[record.id] = record
        bucket = bucket_of(key)
        self._buckets.setdefault(bucket, set()).add(key)
        self._digests.pop(bucket, None)
        return True

    def _remove(self, gone: Gone) -> bool:
        key = (gone.kind, gone.id)
        known = self.get(*key)
        if known is not None and known.version > gone.version:
            return False
        self._position = max(self._position, gone.version)
        is_news = known is None and bool(gone.addresses) and gone.version > self._gone.get(key, 0)
        self._remember_gone(key, gone.version)
        if gone.is_deleted:
            self._deleted.add(key)
        if is_news:
            self._ended[key] = gone
        if known is None:
            return is_news
        del self._by_kind[gone.kind][gone.id]
        bucket = bucket_of(key)
        self._buckets[bucket].discard(key)
        self._digests.pop(bucket, None)
        return True

    def _remember_gone(self, key: RecordKey, version: int) -> None:
        self._gone[key] = max(version, self._gone.pop(key, 0))
        if len(self._gone) > _TOMBSTONES_LIMIT:
            # An older put of a record this long gone would be found by the next comparison of digests.
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._deleted.discard(oldest)
            self._ended.pop(oldest, None)
