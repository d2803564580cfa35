"""The Idl against a real database and a real switch. Needs root and Open vSwitch."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import ovs.db.error
from attrs import define
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from quantumd.edge.ovsdb.framing import MessageStream
from quantumd.edge.ovsdb.idl import OvsIdl
from quantumd.edge.ovsdb.interfaces import InterfaceRow, PutBridge, RemoveBridge
from quantumd.edge.ovsdb.replica import COLUMNS
from quantumd.errors import EdgeTimeout
from tests.bed.figures import note
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import SCHEMA, PrivateOvs, run
from tests.contracts.ovsdb import BR_INT, PATCH, VIF, OvsdbContract

reactor: Any = installed_reactor

LONGEST_TURN_SECONDS = 0.050
MANY = 1000


@define
class TurnClock:
    """Measures how long the reactor was away from a call that is due every 2 ms.

    Only as much of an absence counts as this process computed meanwhile: for the rest, the machine was busy otherwise.
    """

    longest_seconds: float = 0.0
    _last: float = 0.0
    _last_cpu: float = 0.0
    _call: LoopingCall | None = None

    def start(self) -> None:
        """Measure from now on."""
        self.longest_seconds, self._last, self._last_cpu = 0.0, time.monotonic(), time.process_time()
        self._call = LoopingCall(self._beat)
        self._call.start(0.002)

    def stop(self) -> float:
        """Stop; return the longest absence in seconds."""
        if self._call is not None:
            self._call.stop()
        return self.longest_seconds

    def _beat(self) -> None:
        now, cpu = time.monotonic(), time.process_time()
        self.longest_seconds = max(self.longest_seconds, min(now - self._last - 0.002, cpu - self._last_cpu))
        self._last, self._last_cpu = now, cpu


class OvsCase(TestCase):
    """A test with a private switch, and an Idl on its database."""

    timeout = 120
    skip = missing(*OVS)

    def setUp(self) -> None:
        """Start both."""
        self.ovs = PrivateOvs(Path(self.mktemp()).absolute())
        self.addCleanup(self.ovs.stop)
        self.ovs.start()
        self.ovsdb = self.make_idl()

    def make_idl(self, time_limit_seconds: float = 10.0) -> OvsIdl:
        """Start an Idl, which the end of the test stops."""
        idl = OvsIdl(reactor, self.ovs.db, time_limit_seconds)
        idl.startService()
        self.addCleanup(_stop, idl)
        return idl

    async def until(self, is_so: Callable[[], object], seconds: float = 20.0) -> None:
        """Let the reactor turn until it is so; fails after some seconds."""
        deadline = time.monotonic() + seconds
        while not is_so():
            self.assertLess(time.monotonic(), deadline, "It did not come to pass in time.")
            await deferLater(reactor, 0.002)

    async def vsctl(self, *arguments: str) -> None:
        """Run ovs-vsctl."""
        await deferToThread(self.ovs.vsctl, *arguments)


class OvsIdlTests(OvsCase, OvsdbContract):
    """OvsIdl obeys the contract of IOvsdb."""

    async def plug(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """See OvsdbContract: a patch port without a peer gets a number and needs no device."""
        ids = [f"external-ids:{key}={value}" for key, value in external_ids.items()]
        port = ("add-port", bridge, name, "--", "set", "Interface", name, "type=patch", f"options:peer=no-{name}", *ids)
        await self.vsctl(*port)

    async def unplug(self, bridge: str, name: str) -> None:
        """See OvsdbContract."""
        await self.vsctl("del-port", bridge, name)

    async def set_controller(self, bridge: str) -> None:
        """See OvsdbContract."""
        await self.vsctl("set-controller", bridge, "tcp:127.0.0.1:6653")

    async def lose_connection(self) -> None:
        """See OvsdbContract."""
        await deferToThread(self.ovs.kill, "ovsdb-server")

    async def regain_connection(self) -> None:
        """See OvsdbContract."""
        await deferToThread(self.ovs.start_ovsdb)

    async def test_the_columns_are_those_of_the_installed_switch(self) -> None:
        """What we expect of a column is what the switch's schema says, but for the values that it allows."""
        tables = json.loads(Path(SCHEMA).read_text())["tables"]
        for table, columns in COLUMNS.items():
            for name, type_ in columns.items():
                with self.subTest(table=table, column=name):
                    self.assertEqual(_plain(tables[table]["columns"][name]["type"]), type_)

    async def test_it_waits_for_a_database_that_comes_later(self) -> None:
        """A socket that does not exist yet is tried again, and the connection comes up by itself."""
        self.ovs.kill("ovsdb-server")
        late = self.make_idl()
        await deferLater(reactor, 0.3)
        self.assertFalse(late.is_connected)
        await deferToThread(self.ovs.start_ovsdb)
        await self.until(lambda: late.is_connected, seconds=1.5)

    async def test_what_changed_while_the_database_was_away_is_told(self) -> None:
        """An interface that went and one whose ids changed are told after the reconnection, and no others.

        The switch itself may write errors of patch ports without a peer meanwhile, which is told too.
        """
        await self.transact(BR_INT, PATCH)
        for name in ("tap1", "tap2"):
            await self.plug("br-int", name, VIF)
        await self.until(lambda: all(map(self.has_ofport, ("tap1", "tap2", "int-ex", "br-int"))))
        await self.lose_connection()
        await self.until(lambda: not self.ovsdb.is_connected)
        changes = self.heard()
        await deferToThread(self._edit_file, "tap1", "tap2")
        await self.regain_connection()
        await self.until(lambda: self.ovsdb.is_connected)
        told = {(c.old.name, _vif(c.new)) for c in changes if c.old and _vif(c.old) != _vif(c.new)}
        self.assertEqual(told, {("tap1", "other"), ("tap2", None)})
        self.assertNotIn("tap2", self.ovsdb.ports_of("br-int"))

    async def test_a_new_database_replaces_all_that_was_known(self) -> None:
        """A database created anew has other rows: what is not in it is told as gone."""
        await self.transact(BR_INT, PATCH)
        bridges: list[str] = []
        self.ovsdb.on_bridge(bridges.append)
        await self.lose_connection()
        (self.ovs.directory / "conf.db").unlink()
        await deferToThread(run, "ovsdb-tool", "create", f"{self.ovs.directory}/conf.db", SCHEMA)
        await self.regain_connection()
        await self.until(lambda: self.ovsdb.is_connected)
        self.assertEqual((dict(self.ovsdb.interfaces()), bridges), ({}, ["br-int"]))

    async def test_an_interrupted_transaction_is_sent_again(self) -> None:
        """A transaction on its way when the database dies is committed when it is back."""
        await self.until(lambda: self.ovsdb.is_connected)
        os.kill(self.ovs.pid("ovsdb-server"), signal.SIGSTOP)
        done = self.ovsdb.transact((BR_INT,))
        await self.lose_connection()
        await self.regain_connection()
        await self.ended(done)
        self.assertIsNotNone(self.ovsdb.bridge("br-int"))

    async def test_a_database_that_does_not_answer_is_a_timeout(self) -> None:
        """The caller waits no longer than the limit; when the database lives on, so does the connection."""
        hasty = self.make_idl(time_limit_seconds=0.3)
        await self.until(lambda: hasty.is_connected)
        os.kill(self.ovs.pid("ovsdb-server"), signal.SIGSTOP)
        await self.refused(hasty.transact((BR_INT,)), EdgeTimeout)
        os.kill(self.ovs.pid("ovsdb-server"), signal.SIGCONT)
        await self.until(lambda: hasty.bridge("br-int"))
        await self.ended(hasty.transact((PATCH,)))

    async def test_a_bridge_that_others_remove_meanwhile_is_made_anew(self) -> None:
        """A transaction that relies on what somebody just removed is composed again."""
        await self.transact(BR_INT)
        os.kill(self.ovs.pid("ovsdb-server"), signal.SIGSTOP)
        remove = subprocess.Popen(("ovs-vsctl", f"--db={self.ovs.db}", "--no-wait", "del-br", "br-int"))
        await deferLater(reactor, 0.2)
        done = self.ovsdb.transact((BR_INT, PATCH))
        os.kill(self.ovs.pid("ovsdb-server"), signal.SIGCONT)
        await self.ended(done)
        remove.wait(10)
        await self.transact(BR_INT)
        self.assertIn("br-int", self.ovsdb.ports_of("br-int"))

    def _edit_file(self, changed: str, gone: str) -> None:
        where = [["name", "==", changed]]
        edit = {
            "op": "update",
            "table": "Interface",
            "where": where,
            "row": {"external_ids": ["map", [["iface-id", "other"]]]},
        }
        port = run("ovsdb-tool", "query", f"{self.ovs.directory}/conf.db", json.dumps(_select_port(gone)))
        uuid = json.loads(port)[0]["rows"][0]["_uuid"]
        drop = {"op": "mutate", "table": "Bridge", "where": [], "mutations": [["ports", "delete", uuid]]}
        run("ovsdb-tool", "transact", f"{self.ovs.directory}/conf.db", json.dumps(["Open_vSwitch", edit, drop]))


class ManyInterfacesTests(OvsCase):
    """With a thousand interfaces the reactor is never away for 50 ms."""

    async def test_no_turn_of_the_reactor_is_long(self) -> None:
        """Plugging a thousand, a first load, a restart of the database and one of the switch: no turn over 50 ms."""
        self._be_like_the_daemon()
        await self.until(lambda: self.ovsdb.is_connected)
        await self.ovsdb.transact((BR_INT,))
        longest = {"plug": await self._longest(self._plug_many)}
        longest["load"] = await self._longest(self._load)
        longest["database"] = await self._longest(self._restart_database)
        longest["switch"] = await self._longest(self._restart_switch)
        longest["remove"] = await self._longest(self._remove)
        turns = ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in longest.items())
        note(f"ovsdb: longest turn of the reactor with {MANY} interfaces, ms: {turns}")
        self.assertLess(max(longest.values()), LONGEST_TURN_SECONDS, longest)

    def _be_like_the_daemon(self) -> None:
        """Threads take turns every millisecond, and garbage is not looked for in the modules of the test runner."""
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.001)
        self.addCleanup(gc.unfreeze)
        gc.collect()
        gc.freeze()

    async def _longest(self, work: Callable[[], Callable[[], object]]) -> float:
        """Start some work; measure while it is done, not while it is started: starting a process stops this one."""
        clock = TurnClock()
        is_done = work()
        clock.start()
        await self.until(is_done, seconds=60)
        return clock.stop()

    def _numbered(self, idl: OvsIdl) -> int:
        return sum(1 for row in idl.interfaces().values() if row.ofport is not None)

    def _plug_many(self) -> Callable[[], object]:
        script = self.ovs.directory / "plug.sh"
        script.write_text("".join(_plug_command(self.ovs.db, start, start + 100) for start in range(0, MANY, 100)))
        self._start("sh", str(script))
        return lambda: self._numbered(self.ovsdb) == MANY + 1

    def _load(self) -> Callable[[], object]:
        other = self.make_idl()
        return lambda: other.is_connected and self._numbered(other) == MANY + 1

    def _restart_database(self) -> Callable[[], object]:
        connected: list[None] = []
        self.ovsdb.on_connected(lambda: connected.append(None))
        self.ovs.kill("ovsdb-server")
        self.ovs.start_ovsdb()
        return lambda: connected

    def _restart_switch(self) -> Callable[[], object]:
        self.ovs.kill("ovs-vswitchd")
        changes: list[object] = []
        self.ovsdb.on_interfaces(changes.extend)
        self.ovs.start_vswitchd()
        began = time.monotonic()
        return lambda: time.monotonic() > began + 2.0 and self._numbered(self.ovsdb) == MANY + 1

    def _remove(self) -> Callable[[], object]:
        done = self.ovsdb.transact((RemoveBridge("br-int"), PutBridge("br-new", "netdev", None, frozenset(), {})))
        return lambda: done.called and len(self.ovsdb.interfaces()) == 1

    def _start(self, *command: str) -> None:
        environment = {**os.environ, "OVS_RUNDIR": str(self.ovs.directory)}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait, 30)


class StrangeDatabase(Protocol):
    """Answers a monitor request, as a database without ``_Server`` does, and then sends what it was told to."""

    transport: ITransport

    def __init__(self, strange: bytes) -> None:
        self._strange = strange
        self._stream = MessageStream()

    def dataReceived(self, data: bytes) -> None:
        """Answer requests."""
        for message in map(json.loads, self._stream.feed(data)):
            if message["method"] == "monitor":
                self._reply({"id": message["id"], "result": _one_bridge(), "error": None})
                self.transport.write(self._strange)
            else:
                self._reply({"id": message["id"], "result": None, "error": "unknown database"})

    def _reply(self, message: object) -> None:
        self.transport.write(json.dumps(message).encode())


class StrangeDatabases(Factory):
    """Strange the first time, and ordinary from then on."""

    def __init__(self, strange: bytes) -> None:
        self.connections = 0
        self._strange = strange

    def buildProtocol(self, addr: object) -> StrangeDatabase:
        """Answer a connection."""
        self.connections += 1
        return StrangeDatabase(self._strange if self.connections == 1 else b"")


class StrangeDatabaseTests(TestCase):
    """Whatever a database sends, the connection is made anew and the content is right."""

    timeout = 30

    async def _survives(self, strange: bytes, logged: type[Exception] | None = None) -> None:
        path = f"{uuid4().hex[:8]}.sock"
        factory = StrangeDatabases(strange)
        port = reactor.listenUNIX(path, factory)
        self.addCleanup(port.stopListening)
        idl = OvsIdl(reactor, f"unix:{Path(path).absolute()}")
        connected: list[None] = []
        idl.on_connected(lambda: connected.append(None))
        idl.startService()
        self.addCleanup(_stop, idl)
        while not (factory.connections > 1 and idl.is_connected):
            await deferLater(reactor, 0.005)
        self.assertIsNotNone(idl.bridge("br-int"))
        if logged is not None:
            self.assertTrue(self.flushLoggedErrors(logged))

    async def test_garbage(self) -> None:
        """Bytes that are no JSON."""
        await self._survives(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def test_an_object_that_is_no_json(self) -> None:
        """Balanced braces around nonsense, and bytes that are no UTF-8."""
        await self._survives(b"{nonsense}")
        await self._survives(b'{"id": "\xff"}')

    async def test_an_object_that_is_no_message(self) -> None:
        """JSON that is no JSON-RPC."""
        await self._survives(b'{"what": 1}')

    async def test_an_update_that_does_not_fit(self) -> None:
        """A change of a row that nobody ever heard of: what we know is wrong, so it is fetched anew."""
        update = {"Bridge": {str(UUID(int=7)): {"modify": {"name": "x"}}}}
        params = {"id": None, "method": "update2", "params": ["x", update]}
        await self._survives(json.dumps(params).encode(), ovs.db.error.Error)

    async def test_an_update_of_a_wrong_shape(self) -> None:
        """Parameters that are not what the protocol says."""
        await self._survives(b'{"id": null, "method": "update2", "params": ["x", []]}', ovs.db.error.Error)

    async def test_a_great_update_that_does_not_fit(self) -> None:
        """The same on the worker."""
        update = {"Bridge": {str(UUID(int=7)): {"modify": {"name": "x" * 100_000}}}}
        params = {"id": None, "method": "update2", "params": ["x", update]}
        await self._survives(json.dumps(params).encode(), ovs.db.error.Error)


def _one_bridge() -> object:
    row = {"name": "br-int", "datapath_type": "", "external_ids": ["map", []], "ports": ["set", []]}
    return {"Bridge": {str(UUID(int=1)): {"new": row}}}


def _plug_command(db: str, start: int, end: int) -> str:
    ids = " ".join(f"external-ids:{key}={value}" for key, value in VIF.items())
    ports = " ".join(
        f"-- add-port br-int tap{n} -- set Interface tap{n} type=patch options:peer=x{n} {ids}"
        for n in range(start, end)
    )
    return f"ovs-vsctl --db={db} --no-wait {ports}\n"


def _select_port(name: str) -> list[object]:
    return ["Open_vSwitch", {"op": "select", "table": "Port", "where": [["name", "==", name]], "columns": ["_uuid"]}]


def _vif(row: InterfaceRow | None) -> str | None:
    return None if row is None else row.external_ids.get("iface-id")


def _plain(type_: object) -> object:
    """A column's type without what it refers to and which values it allows."""
    if not isinstance(type_, dict):
        return type_
    return {part: value["type"] if isinstance(value, dict) else value for part, value in type_.items()}


def _stop(idl: OvsIdl) -> object:
    return maybeDeferred(idl.stopService) if idl.running else None
