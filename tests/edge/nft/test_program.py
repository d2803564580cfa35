"""The program nft, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase

from quantumd.edge.nft.interfaces import Chain, Change, Ruleset
from quantumd.edge.nft.program import NftProgram
from quantumd.errors import EdgeError, EdgeUnavailable

_CHANGE = Change(chains={("inet", "new"): Chain(("drop",))})


class ProgramTests(TestCase):
    """With others in its place."""

    def program(self, script: str) -> NftProgram:
        """Return an edge to a program of these words."""
        path = Path(self.mktemp()).resolve()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return NftProgram(reactor, str(path), Path("/proc"))

    def test_what_it_is_told_comes_to_its_input(self) -> Deferred[None]:
        """And nothing to its arguments but that."""

        async def run() -> None:
            said = Path(self.mktemp()).resolve()
            await self.program(f'echo "$@" > {said}; cat >> {said}').apply(_CHANGE)
            lines = said.read_text().splitlines()
            self.assertEqual(lines[:2], ["-f -", "add table bridge quantumd"])

        return ensureDeferred(run())

    def test_its_complaint_is_the_error(self) -> Deferred[None]:
        """Its beginning."""

        async def run() -> None:
            with self.assertRaises(EdgeError) as caught:
                await self.program("cat > /dev/null; echo no such thing >&2; exit 1").apply(_CHANGE)
            self.assertEqual(str(caught.exception), "nft: no such thing")

        return ensureDeferred(run())

    def test_a_program_that_is_not_there_is_an_error(self) -> Deferred[None]:
        """Not a bug."""

        async def run() -> None:
            with self.assertRaises(EdgeError):
                await NftProgram(reactor, "/nowhere/nft", Path("/proc")).apply(_CHANGE)

        return ensureDeferred(run())

    def test_tables_that_are_not_there_are_empty(self) -> Deferred[None]:
        """As on a host that has just booted."""

        async def run() -> None:
            program = self.program("echo Error: No such file or directory >&2; exit 1")
            self.assertEqual(await program.read(), Ruleset())

        return ensureDeferred(run())

    def test_without_the_kernel_s_part_nothing_is_read(self) -> Deferred[None]:
        """So that nothing is let in either."""

        async def run() -> None:
            with self.assertRaises(EdgeUnavailable):
                await NftProgram(reactor, "/bin/true", Path("/nowhere/bridge")).read()

        return ensureDeferred(run())
