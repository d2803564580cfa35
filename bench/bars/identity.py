"""What it costs to know who asks: tokens and passwords that are known, and many new tokens at once.

Keystone is one in memory behind a web server in a process of its own, whose every answer takes KEYSTONE_MS.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.web.http_headers import Headers
from zope.interface import implementer

from bench.bars.bed import Row, load, stall_row, turns
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.identity import KeystoneIdentity
from quantumd.api.keystone.interfaces import ITokens
from quantumd.api.keystone.known import KnownTokens
from tests.bed.appliance import Appliance
from tests.bed.identity import add_account, basic_appliance

KEYSTONE_MS = 20
TOKENS = 1000
MINUTE_SECONDS = 60.0
QUEUE_MS = 200
ROUNDS = 9
SHOWS = 300
ALONE = 20_000


@contextmanager
def keystone(tokens: int) -> Iterator[dict[str, Any]]:
    """Run a Keystone; what it printed."""
    command = (sys.executable, "-m", "bench.bars.keystone", str(KEYSTONE_MS), str(tokens))
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError("Keystone has no output")
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate(timeout=10)


@contextmanager
def started(appliance: Appliance) -> Iterator[Appliance]:
    """Run an appliance."""
    try:
        appliance.start("/healthz")
        yield appliance
    finally:
        appliance.close()


def keystone_appliance(directory: Path, asked: Mapping[str, Any]) -> Appliance:
    """Return an appliance that validates tokens there."""
    directory.mkdir()
    password = directory / "password"
    password.touch(mode=0o600)
    password.write_text(asked["password"])
    settings = {
        "api.auth": "keystone",
        "keystone.auth_url": asked["url"],
        "keystone.password_file": str(password),
    }
    return Appliance(directory, settings=settings)


def identity_bar() -> Iterator[Row]:
    """Known callers first, then many new tokens."""
    with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as home:
        yield _alone()
        yield from _known(Path(home))
        for name, measure in {"paced": _paced, "burst": _burst}.items():
            with ExitStack() as stack:
                asked = stack.enter_context(keystone(3 * TOKENS))
                appliance = stack.enter_context(started(keystone_appliance(Path(home) / name, asked)))
                yield from measure(appliance, asked["tokens"])


@implementer(ITokens)
class _OneToken:
    """Knows one caller."""

    def validate(self, token: bytes, allow_expired: bool = False) -> Deferred[Caller | None]:
        """Every token is the caller's."""
        return succeed(Caller("u", time.time() + 3600, "p", roles=frozenset({"admin"})))

    def close(self) -> Deferred[None]:
        """Nothing is kept."""
        return succeed(None)


def _alone() -> Row:
    """What the same costs alone, in CPU time, which others on the machine change little."""
    known = KnownTokens(_OneToken(), "", 300, 10, 0, time.time)
    identity = KeystoneIdentity(known, "", frozenset(), True)
    headers = Headers({"X-Auth-Token": ["x" * 200]})
    began = time.process_time()
    for _ in range(ALONE):
        identity.identify("", headers, True)
    cost = (time.process_time() - began) / ALONE * 1000
    return Row("known token: CPU to know who asks, in the process", "< 1 ms", f"{cost:.4f} ms", cost < 1)


def _known(home: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        asked = stack.enter_context(keystone(1))
        root = add_account(home / "users", "root", "a long enough password", "p1", "admin")
        open_to_all = stack.enter_context(started(Appliance(home / "none")))
        by_token = stack.enter_context(started(keystone_appliance(home / "keystone", asked)))
        by_password = stack.enter_context(started(basic_appliance(home / "basic", home / "users")))
        token = {"X-Auth-Token": asked["tokens"][0]}
        plain = _Known(open_to_all, {})
        for what, known in (
            ("token", _Known(by_token, token)),
            ("password", _Known(by_password, root.header)),
        ):
            yield _beside(what, plain, known)


@define(eq=False)
class _Known:
    """An appliance, and how a caller is known there."""

    appliance: Appliance
    headers: Mapping[str, str]
    network_id: str = field(init=False)

    @network_id.default
    def _make(self) -> str:
        made = self.appliance.request("POST", "/v2.0/networks", {"network": {"name": "bench"}}, self.headers)
        return str(made.body["network"]["id"])

    def show(self) -> tuple[float, float]:
        """Show a network many times, by one client; return the p50 in ms and the CPU ms of a request."""
        before = self.appliance.cpu_seconds()
        request = ("GET", f"/v2.0/networks/{self.network_id}", "", self.headers)
        done = _checked(load(self.appliance.port, 1, SHOWS, [request]))
        return done["p50_ms"], (self.appliance.cpu_seconds() - before) / SHOWS * 1000


def _beside(what: str, plain: _Known, known: _Known) -> Row:
    # In turns, for a machine is not the same from minute to minute; what other processes take is in no CPU time.
    pairs = [(plain.show(), known.show()) for _ in range(ROUNDS)]
    more = statistics.median(there[0] - here[0] for here, there in pairs)
    cpu = statistics.median(there[1] - here[1] for here, there in pairs)
    figure = f"{more:+.2f} ms, CPU {cpu:+.2f} ms"
    return Row(f"known {what}: show network beside auth none, p50 of one client", "< 1 ms more", figure, more < 1)


def _checked(done: dict[str, Any]) -> dict[str, Any]:
    if set(done["statuses"]) != {"200"}:
        raise RuntimeError(f"answers that nobody wants: {done['statuses']}")
    return done


def _paced(appliance: Appliance, tokens: Sequence[str]) -> Iterator[Row]:
    _warm(appliance, tokens[-1])
    connection = HTTPConnection(appliance.host, appliance.port, timeout=10)
    began, times = time.monotonic(), []
    for number, token in enumerate(tokens[:TOKENS]):
        time.sleep(max(0.0, began + number * MINUTE_SECONDS / TOKENS - time.monotonic()))
        asked = time.monotonic()
        connection.request("GET", "/v2.0/networks?fields=id", headers={"X-Auth-Token": token})
        if connection.getresponse().read() is None:
            raise RuntimeError("no answer")
        times.append((time.monotonic() - asked) * 1000 - KEYSTONE_MS)
    connection.close()
    times.sort()
    figure = f"p50 {times[TOKENS // 2]:.1f}, longest {times[-1]:.0f} ms"
    what = f"{TOKENS} new tokens in a minute, beyond Keystone's {KEYSTONE_MS} ms"
    yield Row(what, f"≤ {QUEUE_MS} ms", figure, times[-1] <= QUEUE_MS)
    yield _waits("  in quantumd's own count, waits for a connection over 200 ms", appliance)
    yield stall_row("new tokens in a minute", *turns(appliance))


def _burst(appliance: Appliance, tokens: Sequence[str]) -> Iterator[Row]:
    _warm(appliance, tokens[-1])
    left = iter(tokens)
    for clients, count in ((50, 100), (100, 100), (50, TOKENS)):
        yield from _beyond(appliance, clients, list(islice(left, count)), is_bar=True)
    yield _waits("  in quantumd's own count, waits for a connection over 200 ms", appliance)
    yield stall_row("new tokens at once", *turns(appliance))
    yield from _beyond(appliance, TOKENS, list(islice(left, TOKENS)), is_bar=False)
    stalls, longest_ms = turns(appliance)
    yield Row(
        f"  reactor stalls over 50 ms, {TOKENS} connections included",
        "",
        f"{stalls} (longest {longest_ms:.0f} ms)",
        None,
    )


def _beyond(appliance: Appliance, clients: int, tokens: Sequence[str], is_bar: bool) -> Iterator[Row]:
    """Show the tokens for the first time, and again, when they are known: the rest is what any request costs."""
    count = len(tokens)
    requests = [("GET", "/v2.0/networks?fields=id", "", {"X-Auth-Token": token}) for token in tokens]
    before = appliance.cpu_seconds()
    new = _checked(load(appliance.port, clients, count, requests))
    between = appliance.cpu_seconds()
    known = _checked(load(appliance.port, clients, count, requests))
    more = ((between - before) - (appliance.cpu_seconds() - between)) / count * 1000
    longest = new["max_ms"] - KEYSTONE_MS
    what = f"{count} new tokens from {clients} connections at once, beyond Keystone's"
    met = longest <= QUEUE_MS if is_bar else None
    limit = f"≤ {QUEUE_MS} ms" if is_bar else ""
    yield Row(what, limit, f"longest {longest:.0f} ms, {count / new['seconds']:.0f}/s", met)
    yield Row(
        "  the same again, known; CPU more for a new one", "-", f"longest {known['max_ms']:.0f}, {more:.2f} ms", None
    )


def _warm(appliance: Appliance, token: str) -> None:
    # The first question logs in; that is not what is measured.
    appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token})


def _waits(what: str, appliance: Appliance) -> Row:
    metrics = appliance.metrics()
    over = metrics["quantumd_token_wait_seconds_count"] - metrics['quantumd_token_wait_seconds_bucket{le="0.2"}']
    return Row(what, "0", f"{over:.0f}", over == 0)
