"""A private Open vSwitch in its own network namespace, and namespaces that stand for VMs.

Needs root, ``ip``, ``ethtool`` and the Open vSwitch programs. ``stop()`` ends all that was started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

from attrs import Factory, define, field, frozen

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
PROTOCOLS = "OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15"
_WAIT_SECONDS = 10.0
_LAST_LINES = 40


def run(*command: str, timeout_seconds: float = 30.0) -> str:
    """Run a command, return its standard output; subprocess.CalledProcessError carries what it said when it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_seconds, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


@frozen
class Vm:
    """A namespace with a NIC ``eth0``; ``tap`` is the host end, plugged into the integration bridge."""

    name: str
    namespace: str
    tap: str
    port_id: str
    mac: str

    def run(self, *command: str, timeout_seconds: float = 30.0) -> str:
        """Run a command as if typed in the VM."""
        return run("ip", "netns", "exec", self.namespace, *command, timeout_seconds=timeout_seconds)


@define
class Switch:
    """An Open vSwitch to plug VMs into: ``directory`` holds its sockets, ``namespace`` is where it runs.

    An empty namespace is the machine's own: the switch that ``make run`` uses. ``prefix`` begins the names of the
    namespaces of VMs.
    """

    directory: Path
    namespace: str = ""
    bridge: str = "br-int"
    prefix: str = field(factory=lambda: f"qd-{uuid.uuid4().hex[:8]}")
    _vms: list[Vm] = field(factory=list)

    @property
    def db(self) -> str:
        """The OVSDB remote, as ovs-vsctl takes it."""
        return f"unix:{self.directory}/db.sock"

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl on this switch; when it fails, what the switch's log ends with is told too."""
        try:
            return run("ovs-vsctl", f"--db={self.db}", "--timeout=20", *arguments)
        except subprocess.CalledProcessError as failure:
            failure.add_note(self._last_words())
            raise

    def _last_words(self) -> str:
        log = self.directory / "ovs-vswitchd.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:]) if log.exists() else "no log"

    def ofctl(self, command: str, *arguments: str, bridge: str | None = None) -> str:
        """Run ovs-ofctl (OpenFlow 1.4) on a bridge of this switch."""
        target = f"unix:{self.directory}/{bridge or self.bridge}.mgmt"
        return run("ovs-ofctl", "-O", "OpenFlow14", command, target, *arguments)

    def appctl(self, *arguments: str) -> str:
        """Run ovs-appctl on the ovs-vswitchd of this switch."""
        return run("ovs-appctl", "-t", f"{self.directory}/ovs-vswitchd.ctl", *arguments)

    def add_bridge(self, name: str = "br-int", fail_mode: str = "secure") -> None:
        """Make a bridge with the userspace datapath."""
        self.vsctl(
            "--may-exist", "add-br", name, "--", "set", "bridge", name, "datapath_type=netdev",
            f"fail_mode={fail_mode}", f"protocols={PROTOCOLS}",
        )  # fmt: skip

    def make_vm(self, port_id: str, mac: str, name: str | None = None) -> Vm:
        """Make a namespace with a NIC of that MAC; its host end is not plugged yet."""
        name = name or port_id[:8]
        vm = Vm(name, f"{self.prefix}-{name}", f"tap{port_id[:11]}", port_id, mac)
        run("ip", "netns", "add", vm.namespace)
        self._vms.append(vm)
        self._ip(
            "link", "add", vm.tap, "type", "veth",
            "peer", "name", "eth0", "address", mac, "netns", vm.namespace,
        )  # fmt: skip
        # The userspace datapath completes no checksums: TCP and UDP of the VM need them done.
        vm.run("ethtool", "-K", "eth0", "tx", "off")
        # A stray IPv6 address on the host end would talk into the network.
        run(*self._in_namespace("sysctl", "-qw", f"net.ipv6.conf.{vm.tap}.disable_ipv6=1"))
        self._ip("link", "set", vm.tap, "up")
        vm.run("ip", "link", "set", "lo", "up")
        vm.run("ip", "link", "set", "eth0", "up")
        return vm

    def plug(self, vm: Vm, vm_uuid: str = "73f3d011-e270-476b-976d-410aac87b69d") -> None:
        """Plug a VM by the command of Nova's boot flow."""
        self.vsctl(
            "--", "--may-exist", "add-port", self.bridge, vm.tap,
            "--", "set", "Interface", vm.tap, f"external-ids:iface-id={vm.port_id}",
            "--", "set", "Interface", vm.tap, "external-ids:iface-status=active",
            "--", "set", "Interface", vm.tap, f"external-ids:attached-mac={vm.mac}",
            "--", "set", "Interface", vm.tap, f"external-ids:vm-uuid={vm_uuid}",
        )  # fmt: skip

    def unplug(self, vm: Vm) -> None:
        """Take a VM's port off the bridge."""
        self.vsctl("--if-exists", "del-port", self.bridge, vm.tap)

    def remove_vm(self, vm: Vm) -> None:
        """Unplug a VM and remove its namespace."""
        self.unplug(vm)
        run("ip", "netns", "del", vm.namespace)
        self._vms.remove(vm)

    def remove_vms(self) -> None:
        """Unplug and remove every VM made here; harmless when half of it never was."""
        for vm in self._vms:
            subprocess.run(
                ("ovs-vsctl", f"--db={self.db}", "--timeout=5", "--no-wait", "--if-exists", "del-port", vm.tap),
                check=False, capture_output=True,
            )  # fmt: skip
        self._end_vms()

    def _end_vms(self) -> None:
        for vm in self._vms:
            subprocess.run(("ip", "netns", "del", vm.namespace), check=False, capture_output=True)
        self._vms.clear()

    def ip(self, *command: str) -> str:
        """Run ip where the switch is."""
        return self._ip(*command)

    def _ip(self, *command: str) -> str:
        return run("ip", *(("-n", self.namespace) if self.namespace else ()), *command)

    def _in_namespace(self, *command: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.namespace, *command) if self.namespace else command


@define
class PrivateOvs(Switch):
    """An Open vSwitch of our own, with the userspace datapath, in a namespace of its own."""

    namespace: str = field(default=Factory(lambda self: self.prefix, takes_self=True))

    def start(self) -> None:
        """Start both daemons; no bridge is made."""
        self.directory.mkdir(parents=True, exist_ok=True)
        run("ovsdb-tool", "create", f"{self.directory}/conf.db", SCHEMA)
        self.make_namespace()
        self.start_ovsdb()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()

    def make_namespace(self) -> None:
        """Make the namespace, as the kernel of a host that boots has it; the database is what it was."""
        run("ip", "netns", "add", self.namespace)
        self._ip("link", "set", "lo", "up")

    def start_ovsdb(self) -> None:
        """Start ovsdb-server."""
        d = self.directory
        self._daemon(
            "ovsdb-server", f"{d}/conf.db", f"--remote=punix:{d}/db.sock", f"--pidfile={d}/ovsdb-server.pid",
            f"--unixctl={d}/ovsdb-server.ctl", f"--log-file={d}/ovsdb-server.log", "--detach",
        )  # fmt: skip

    def start_vswitchd(self) -> None:
        """Start ovs-vswitchd under its monitor, as distributions do: it comes back from a crash, not from SIGKILL."""
        d = self.directory
        self._daemon(
            "ovs-vswitchd", self.db, "--disable-system", f"--pidfile={d}/ovs-vswitchd.pid",
            f"--unixctl={d}/ovs-vswitchd.ctl", f"--log-file={d}/ovs-vswitchd.log", "--detach", "--monitor",
        )  # fmt: skip

    def _daemon(self, *command: str) -> None:
        environment = {**os.environ, "OVS_RUNDIR": str(self.directory), "OVS_LOGDIR": str(self.directory)}
        subprocess.run(
            self._in_namespace(*command),
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=True, timeout=30,
        )  # fmt: skip

    def pid(self, daemon: str) -> int:
        """The process id of ``ovs-vswitchd`` or ``ovsdb-server``."""
        return int((self.directory / f"{daemon}.pid").read_text())

    def kill(self, daemon: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill a daemon and wait until it is gone."""
        pid = self.pid(daemon)
        os.kill(pid, sig)
        deadline = time.monotonic() + _WAIT_SECONDS
        while _is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """End everything that was started here; harmless when half of it never was."""
        for daemon in ("ovs-vswitchd", "ovsdb-server"):
            if (self.directory / f"{daemon}.pid").exists():
                self.kill(daemon)
                (self.directory / f"{daemon}.pid").unlink(missing_ok=True)
        self._end_vms()
        subprocess.run(("ip", "netns", "del", self.namespace), check=False, capture_output=True)


def _is_running(pid: int) -> bool:
    """Whether a process runs; one of which nothing is left but what its parent has to reap does not.

    Of several threads the first may have ended, and the others still hold files, devices and the lock of the database.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z" or len(threads) > 1
