"""The kernel's devices and filters keep the contracts of their edges. Needs root."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from quantumd.edge.netlink.links import KernelLinks
from quantumd.edge.nft.program import NftProgram
from tests.bed.bridges import BRIDGES
from tests.bed.needs import missing
from tests.bed.openvswitch import run
from tests.bed.wire import inside
from tests.contracts.links import LinksContract
from tests.contracts.nft import FIRST, NftContract


def make_namespace(case: TestCase) -> str:
    """Make a namespace that is gone after the test."""
    name = f"qk-{uuid.uuid4().hex[:8]}"
    run("ip", "netns", "add", name)
    case.addCleanup(subprocess.run, ("ip", "netns", "del", name), check=False)
    return name


class KernelLinksTests(LinksContract):
    """See LinksContract."""

    __test__ = True
    skip = missing(*BRIDGES)

    def make(self) -> KernelLinks:
        """See LinksContract."""
        links = KernelLinks(reactor)
        # A socket stays in the namespace in which it was opened.
        inside(make_namespace(self), links.start)
        self.addCleanup(links.stop)
        return links


class NftProgramTests(NftContract):
    """See NftContract."""

    __test__ = True
    skip = missing(*BRIDGES)

    def make(self) -> NftProgram:
        """See NftContract."""
        self.namespace = make_namespace(self)
        program = Path(self.mktemp()).resolve()
        program.write_text(f'#!/bin/sh\nexec /sbin/ip netns exec {self.namespace} /usr/sbin/nft "$@"\n')
        program.chmod(0o700)
        nft = NftProgram(reactor, str(program))
        inside(self.namespace, nft.start)
        self.addCleanup(nft.stop)
        return nft

    def test_what_others_change_is_told_and_what_it_changes_itself_is_not(self) -> Deferred[None]:
        """Whatever it was."""

        async def go() -> None:
            nft, told = self.make(), []
            nft.on_foreign_change(lambda: told.append("told"))
            await nft.apply(FIRST)
            await deferLater(reactor, 1.0)
            self.assertEqual(told, [])
            run("ip", "netns", "exec", self.namespace, "nft", "add", "table", "ip", "theirs")
            await deferLater(reactor, 1.0)
            self.assertEqual(told, ["told"])

        return ensureDeferred(go())

    def test_a_chain_that_others_changed_is_seen(self) -> Deferred[None]:
        """A rule more, a rule less, another rule in its place."""

        async def go() -> None:
            nft = self.make()
            await nft.apply(FIRST)
            self.assertEqual((await nft.read()).chains["inet", "c"], FIRST.chains["inet", "c"].digest)
            command = ("ip", "netns", "exec", self.namespace, "nft")
            listed = run(*command, "-a", "list", "chain", "inet", "quantumd", "c")
            handle = next(line for line in listed.splitlines() if "10.0.0.1" in line).rpartition(" ")[2]
            run(*command, "replace", "rule", "inet", "quantumd", "c", "handle", handle, "ip saddr 10.0.0.2 accept")
            self.assertEqual((await nft.read()).chains["inet", "c"], "")
            await nft.apply(FIRST)
            self.assertEqual((await nft.read()).chains["inet", "c"], FIRST.chains["inet", "c"].digest)
            run(*command, "insert", "rule", "inet", "quantumd", "c", "accept")
            self.assertEqual((await nft.read()).chains["inet", "c"], "")

        return ensureDeferred(go())
