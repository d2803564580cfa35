"""``make demo``: from `openstack port create` to a DHCP lease and a ping, with the real client and real clients.

Works on the running appliance, or on one of its own (with an Open vSwitch of its own) when none answers. Two network
namespaces stand for VMs. Everything it makes is removed again, also when a step fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from attrs import define, field, frozen

from tests.bed.appliance import Appliance, ApplianceError
from tests.bed.dhcp_client import Lease, NoLease, udhcpc
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import PrivateOvs, Switch, Vm

_SUBNET = "192.0.2.0/24"
_ACTIVE_LIMIT_SECONDS = 10.0
_CLIENT_LIMIT_SECONDS = 60.0
T = TypeVar("T")


class DemoError(Exception):
    """A step did not do what it should; the message says which and why."""


@frozen
class Step:
    """What was done, what came of it, and how long it took."""

    what: str
    result: str
    seconds: float


@define
class Story:
    """The steps so far; each is printed as it happens and all again as a table."""

    steps: list[Step] = field(factory=list)

    def tell(self, what: str, work: Callable[[], T], result: Callable[[T], str]) -> T:
        """Do one step, measure it and keep what came of it."""
        began = time.monotonic()
        value = work()
        self.steps.append(Step(what, result(value), time.monotonic() - began))
        return value

    def table(self) -> str:
        """Return the steps as a table."""
        rows = [(step.what, step.result, _duration(step.seconds)) for step in self.steps]
        widths = [max(len(row[column]) for row in [("step", "result", "took"), *rows]) for column in range(3)]
        line = "-+-".join("-" * width for width in widths)
        head = " | ".join(name.ljust(width) for name, width in zip(("step", "result", "took"), widths, strict=True))
        body = [
            f"{what.ljust(widths[0])} | {got.ljust(widths[1])} | {took.rjust(widths[2])}" for what, got, took in rows
        ]
        return "\n".join((head.rstrip(), line, *body))


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


@frozen
class OpenStack:
    """The ``openstack`` command, unmodified, pointed at an endpoint without authentication."""

    program: Path
    url: str

    def __call__(self, *words: str) -> Any:
        """Run a command and return what it prints as JSON, None when it prints nothing."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        environment |= {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": self.url}
        done = subprocess.run(
            (str(self.program), *words), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_CLIENT_LIMIT_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise DemoError(f"openstack {' '.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def create(self, undo: ExitStack, kind: str, *words: str) -> Any:
        """Create something and have it deleted when ``undo`` closes."""
        created = self(kind, "create", "-f", "json", *words)
        undo.callback(self, kind, "delete", created["id"])
        return created


def answers(url: str) -> bool:
    """Whether a quantumd is at ``url``."""
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/healthz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def own_appliance() -> Iterator[tuple[str, Switch]]:
    """Start a quantumd and an Open vSwitch for the demo only."""
    directory = Path(tempfile.mkdtemp(prefix="quantumd-demo-"))
    switch = PrivateOvs(directory / "ovs")
    appliance = Appliance(directory / "state", ovs_run_dir=switch.directory)
    try:
        switch.start()
        seconds = appliance.start()
        print(f"no quantumd answers, so this starts its own; its first 200 came after {_duration(seconds)}")
        yield appliance.url, switch
    except BaseException:
        print(appliance.log()[-4000:], file=sys.stderr)
        raise
    finally:
        appliance.close()
        switch.stop()
        shutil.rmtree(directory, ignore_errors=True)


def play(openstack: OpenStack, switch: Switch, directory: Path, story: Story) -> None:
    """Run the demo; DemoError or NoLease when something is not as it should be."""
    name = f"demo-{uuid.uuid4().hex[:6]}"
    with ExitStack() as undo:
        ports = _create(openstack, undo, name, story)
        undo.callback(switch.remove_vms)
        vms = [_plug(openstack.url, switch, port, story) for port in ports]
        for vm, port in zip(vms, ports, strict=True):
            _lease(vm, port, directory, story)
        _ping(vms[0], ports[1], story)
        _ping(vms[1], ports[0], story)
        listed = ("port", "list", "-f", "json", "--network", name, "-c", "Name", "-c", "Status")
        story.tell("openstack port list", lambda: openstack(*listed), _statuses)
        began = time.monotonic()
    story.steps.append(Step("clean up", "ports, subnet, network, VMs", time.monotonic() - began))


def _statuses(listed: list[dict[str, str]]) -> str:
    return ", ".join(
        f"{row['Name']} {row['Status']}" for row in sorted(listed, key=lambda row: row["Name"]) if row["Name"]
    )


def _create(openstack: OpenStack, undo: ExitStack, name: str, story: Story) -> list[Any]:
    story.tell(
        "openstack network create",
        lambda: openstack.create(undo, "network", name),
        lambda made: f"{made['id']} mtu {made['mtu']}",
    )
    story.tell(
        "openstack subnet create",
        lambda: openstack.create(undo, "subnet", "--network", name, "--subnet-range", _SUBNET, name),
        lambda made: f"{made['cidr']} gateway {made['gateway_ip']}",
    )
    return [
        story.tell(
            "openstack port create",
            lambda vm=vm: openstack.create(undo, "port", "--network", name, vm),  # type: ignore[misc]
            lambda made: f"{made['name']} {made['mac_address']} {_address(made)} {made['status']}",
        )
        for vm in ("vm1", "vm2")
    ]


def _address(port: Any) -> str:
    return str(port["fixed_ips"][0]["ip_address"])


def _plug(url: str, switch: Switch, port: Any, story: Story) -> Vm:
    vm = switch.make_vm(port["id"], port["mac_address"], port["name"])

    def plug() -> str:
        switch.plug(vm)
        return _await_active(url, port["id"])

    story.tell(f"ovs-vsctl add-port {vm.tap}", plug, lambda status: f"{vm.name} {status}")
    return vm


def _await_active(url: str, port_id: str) -> str:
    """Ask the API until the port is ACTIVE."""
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + _ACTIVE_LIMIT_SECONDS
    while True:
        with opener.open(f"{url}/v2.0/ports/{port_id}", timeout=5) as answer:
            status = str(json.load(answer)["port"]["status"])
        if status == "ACTIVE":
            return status
        if time.monotonic() > deadline:
            raise DemoError(f"port {port_id} is {status} {_ACTIVE_LIMIT_SECONDS:g} s after it was plugged")
        time.sleep(0.002)


def _lease(vm: Vm, port: Any, directory: Path, story: Story) -> None:
    def told(lease: Lease) -> str:
        return f"{vm.name} {lease.ip_address}/{lease.prefix_length} via {lease.router} mtu {lease.mtu_bytes}"

    lease = story.tell("udhcpc", lambda: udhcpc(vm, directory), told)
    if lease.ip_address != _address(port):
        raise DemoError(f"{vm.name} leased {lease.ip_address}, its port has {_address(port)}")


def _ping(vm: Vm, other: Any, story: Story) -> None:
    def received(text: str) -> str:
        return f"{vm.name} -> {other['name']}: " + next(line for line in text.splitlines() if "received" in line)

    story.tell(f"ping {_address(other)}", lambda: vm.run("ping", "-c3", "-i0.2", "-W2", _address(other)), received)


def main() -> int:
    """Run the demo and print what happened; return the exit status."""
    options = _parse_options()
    lacking = missing(*OVS, "udhcpc", "ping")
    if lacking:
        print(f"the demo {lacking}", file=sys.stderr)
        return 1
    story = Story()
    began = time.monotonic()
    failure: Exception | None = None
    try:
        _run(options, story)
    except (DemoError, NoLease, ApplianceError, OSError, subprocess.SubprocessError) as error:
        failure = error
    print(f"\n{story.table()}\n")
    if failure is not None:
        print(f"FAILED after these steps: {failure}\n{getattr(failure, 'stderr', None) or ''}", file=sys.stderr)
        return 1
    print(f"All done in {_duration(time.monotonic() - began)}; most of it is the start of the openstack client.")
    return 0


def _run(options: argparse.Namespace, story: Story) -> None:
    with ExitStack() as resources:
        directory = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="quantumd-demo-")))
        if answers(options.url):
            print(f"using the quantumd that answers at {options.url}")
            url, switch = options.url, Switch(options.ovs_run_dir)
        else:
            url, switch = resources.enter_context(own_appliance())
        play(OpenStack(options.client / "bin" / "openstack", url), switch, directory, story)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:9696", help="where the API may be running")
    parser.add_argument("--ovs-run-dir", type=Path, default=Path("/var/run/openvswitch"), help="of that appliance")
    parser.add_argument("--client", type=Path, default=Path(".venv/client"), help="environment with `openstack`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
