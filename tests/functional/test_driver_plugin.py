"""An L2 driver of another distribution, installed by pip, found by its name and used."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.l2.drivers.interfaces import IL2Driver
from tests.bed.appliance import Appliance, ApplianceError
from tests.bed.needs import PREFIX
from tests.contracts.l2_driver import DriverBed, L2DriverContract, site_for

DISTRIBUTION = Path(__file__).with_name("other_distribution")
DRIVER = "drawbridge"


def _missing(*modules: str) -> str | None:
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    return PREFIX + ", ".join(lacking) if lacking else None


class PluginContractTests(L2DriverContract):
    """The plug-in keeps the contract, without being installed."""

    __test__ = True

    def setUp(self) -> None:
        """A directory for its files."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-drawbridge-")
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        super().setUp()

    def make_driver(self) -> IL2Driver:
        """See L2DriverContract."""
        driver: IL2Driver = self.load().driver
        return driver

    def load(self) -> ModuleType:
        """Load the plug-in's module from where it is written."""
        path = DISTRIBUTION / "quantumd" / "plugins" / f"{DRIVER}.py"
        spec = importlib.util.spec_from_file_location(DRIVER, path)
        if spec is None or spec.loader is None:
            raise AssertionError(f"{path} is no module")
        module = sys.modules[DRIVER] = importlib.util.module_from_spec(spec)
        self.addCleanup(sys.modules.pop, DRIVER, None)
        spec.loader.exec_module(module)
        return module

    def make_bed(self) -> DriverBed:
        """See L2DriverContract."""
        clock, records = Clock(), Records()
        parts = self.make_driver().install(site_for(records, clock, str(self.directory)))
        return DriverBed(parts, clock, records, self.add_file, self.remove_file)

    def add_file(self, port_id: str) -> None:
        """Plug a port."""
        (self.directory / port_id).touch()

    def remove_file(self, port_id: str) -> None:
        """Unplug a port."""
        (self.directory / port_id).unlink()


class InstalledPluginTests(SynchronousTestCase):
    """The plug-in, installed into a directory of its own."""

    skip = _missing("pip", "setuptools")

    def setUp(self) -> None:
        """Install it with pip, from a copy: building leaves files."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-plugin-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        self.target = self.directory / "target"
        self.devices = self.directory / "devices"
        self.devices.mkdir()
        source = shutil.copytree(DISTRIBUTION, self.directory / "source")
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
        options = ("--no-deps", "--no-build-isolation", "--target", str(self.target), str(source))
        done = subprocess.run((*command, *options), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def appliance(self, *python_path: Path, passes_socket: bool = True) -> Appliance:
        """Return a quantumd on memory edges that uses the driver and finds modules on the path."""
        settings = {"l2.driver": DRIVER, "l2.ovs_run_dir": str(self.devices)}
        directory = self.directory / "quantumd"
        appliance = Appliance(directory, None, settings, passes_socket=passes_socket, python_path=python_path)
        self.addCleanup(appliance.close)
        return appliance

    def test_ports_become_active_through_it(self) -> None:
        """Plugged its way: ACTIVE with its binding; unplugged: DOWN. Its capabilities are what the API announces."""
        quantumd = self.appliance(self.target)
        quantumd.start("/readyz")
        network = quantumd.create("network")
        quantumd.create("subnet", network_id=network["id"], cidr="10.0.0.0/24", ip_version=4)
        port = quantumd.create("port", network_id=network["id"])
        (self.devices / port["id"]).touch()
        quantumd.await_status(port["id"], "ACTIVE")
        shown = quantumd.show("port", port["id"])
        self.assertEqual((shown["binding:host_id"], shown["binding:vif_type"]), ("host-a", "other"))
        (self.devices / port["id"]).unlink()
        quantumd.await_status(port["id"], "DOWN")
        aliases = {item["alias"] for item in quantumd.request("GET", "/v2.0/extensions").body["extensions"]}
        self.assertIn("binding", aliases)
        self.assertNotIn("provider", aliases)

    def test_an_unknown_driver_stops_the_start_and_names_those_there_are(self) -> None:
        """Here: the plug-in is not on the path."""
        quantumd = self.appliance(passes_socket=False)
        self.assertRaises(ApplianceError, quantumd.start)
        self.assertIn("there is no driver 'drawbridge'; there are linuxbridge, memory, ovs", quantumd.log())
