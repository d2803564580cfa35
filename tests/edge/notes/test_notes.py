"""Notes in memory and in files: the same for who keeps them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from quantumd.edge.notes.files import FileNote
from quantumd.edge.notes.interfaces import MOST_BYTES, INote
from quantumd.edge.notes.memory import MemoryNote
from quantumd.errors import EdgeError


class NoteContract:
    """What every note does. Mixed into classes of tests."""

    def make(self: Any) -> Any:
        """Return a note that nothing was kept in."""
        raise NotImplementedError

    async def settle(self: Any) -> None:
        """Let what was begun end."""

    async def test_nothing_was_kept(self: Any) -> None:
        """It is empty then."""
        note = self.make()
        self.assertTrue(verifyObject(INote, note))
        self.assertEqual(note.read(), b"")

    async def test_the_last_one_is_kept(self: Any) -> None:
        """Of several in a row."""
        note = self.make()
        for number in range(50):
            note.keep(b"%d" % number * 1000)
        await self.settle()
        self.assertEqual(note.read(), b"49" * 1000)
        note.keep(b"short")
        await self.settle()
        self.assertEqual(note.read(), b"short")


class MemoryTests(NoteContract, TestCase):
    """In memory."""

    def make(self) -> MemoryNote:
        """See NoteContract."""
        return MemoryNote()


class FileTests(NoteContract, TestCase):
    """In a file."""

    def setUp(self) -> None:
        """Say where it will be; not even its directory is there."""
        self.path = Path(self.mktemp()) / "state" / "note.json"

    def make(self) -> FileNote:
        """See NoteContract."""
        return FileNote(reactor, self.path)

    async def settle(self) -> None:
        """See NoteContract."""
        before = b""
        for _ in range(200):
            await _moment()
            now = self.path.read_bytes() if self.path.exists() else b""
            if now and now == before:
                return
            before = now

    async def test_nobody_else_reads_it_and_nothing_is_left_beside_it(self) -> None:
        """It is put in place whole."""
        self.make().keep(b"x")
        await self.settle()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.path.parent), ["note.json"])

    async def test_what_cannot_be_written_is_kept_next_time(self) -> None:
        """And does no harm."""
        self.path.parent.parent.mkdir()
        self.path.parent.write_bytes(b"a file where the directory must be")
        note = self.make()
        note.keep(b"one")
        await _moment(0.3)
        self.path.parent.unlink()
        note.keep(b"two")
        await self.settle()
        self.assertEqual(note.read(), b"two")

    async def test_what_cannot_be_read_is_told(self) -> None:
        """A directory, and a file that is far too long."""
        self.path.mkdir(parents=True)
        self.assertRaises(EdgeError, self.make().read)
        self.path.rmdir()
        with self.path.open("wb") as opened:
            opened.truncate(MOST_BYTES + 1)
        self.assertRaises(EdgeError, self.make().read)


def _moment(seconds: float = 0.05) -> Deferred[None]:
    done: Deferred[None] = deferLater(reactor, seconds)
    return done
