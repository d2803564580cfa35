"""Digests: a short hash over what a side knows, in buckets, so that what differs is found without sending all."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import blake2b

from attrs import astuple, evolve

from quantumd.model.messages import BUCKETS
from quantumd.model.records import ADDED_SINCE, VERSIONED_BY_READING, Record, RecordKey


def bucket_of(key: RecordKey) -> int:
    """Return the bucket of a record, 0 to BUCKETS - 1; the same on every host and in every version."""
    return zlib.crc32(f"{key[0]}/{key[1]}".encode()) % BUCKETS


def digest_record(record: Record) -> str:
    """Return the hash over (kind, id, version, content) of one record."""
    return blake2b(_text(record).encode(), digest_size=10).hexdigest()


def _text(record: Record) -> str:
    if record.kind in VERSIONED_BY_READING:
        record = evolve(record, version=0)
    fields = astuple(record, recurse=True)
    # A host of before, which does not know them, has the same digest while they say nothing.
    for nothing in reversed(ADDED_SINCE.get(record.kind, ())):
        if fields[-1] != nothing:
            break
        fields = fields[:-1]
    return f"{record.kind}{fields!r}"


def digest_bucket(records: Iterable[Record]) -> str:
    """Return the hash over (kind, id, version, content) of records, whatever their order."""
    texts = sorted(_text(record) for record in records)
    return blake2b("\n".join(texts).encode(), digest_size=12).hexdigest()


def difference(ours: Iterable[Record], known: Iterable[str]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Return the records of ours whose digests are not known, and the known digests that are of none of ours."""
    by_digest, theirs = {digest_record(record): record for record in ours}, frozenset(known)
    missing = tuple(record for digest, record in by_digest.items() if digest not in theirs)
    return missing, tuple(sorted(theirs - by_digest.keys()))


def digest_buckets(records: Iterable[Record]) -> dict[int, str]:
    """Return the digest of every bucket that holds something."""
    buckets: dict[int, list[Record]] = {}
    for record in records:
        buckets.setdefault(bucket_of((record.kind, record.id)), []).append(record)
    return {bucket: digest_bucket(held) for bucket, held in buckets.items()}


def differing_buckets(ours: dict[int, str], theirs: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    """Return the buckets whose digests differ between the two sides, in ascending order."""
    other = dict(theirs)
    return tuple(sorted(bucket for bucket in ours.keys() | other.keys() if ours.get(bucket) != other.get(bucket)))
