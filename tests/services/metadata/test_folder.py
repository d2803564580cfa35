"""Files of user data and keys."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import SettingsError
from quantumd.services.metadata.folder import LARGEST_FILE_BYTES, check_folder, read_files
from quantumd.services.metadata.own import Files
from tests.services.metadata.askers import ASKER


class FolderTests(SynchronousTestCase):
    """Where they are looked for."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        for place in ("default", "blue", "blue/i1", "red/i1", ASKER.port_id):
            (self.folder / place).mkdir(parents=True)

    def write(self, place: str, text: str = "") -> None:
        """Write user data."""
        (self.folder / place / "user_data").write_text(text or place)

    def user_data(self, device_id: str = "i1", project_id: str = "blue") -> str:
        """Return what is found."""
        asker = evolve(ASKER, device_id=device_id, project_id=project_id)
        return read_files(str(self.folder), asker).user_data.decode()

    def test_the_nearest_place_counts(self) -> None:
        """Port, instance, project, all."""
        self.assertEqual(read_files("", ASKER), Files())
        for place in ("default", "blue", "blue/i1", ASKER.port_id):
            self.write(place)
            self.assertEqual(self.user_data(), place)

    def test_an_instance_is_one_of_its_project(self) -> None:
        """Whatever a port of another project says that it is used by."""
        self.write("blue/i1")
        self.assertEqual(self.user_data(project_id="red"), "")

    def test_ids_that_are_paths(self) -> None:
        """Lead nowhere."""
        (self.folder.parent / "user_data").write_text("secret")
        self.write("red/i1")
        for device_id in ("..", "../red/i1", "/etc", ".", "../.."):
            self.assertEqual(self.user_data(device_id), "")
        for project_id in ("..", "../..", "", "red/i1"):
            self.assertEqual(self.user_data(project_id=project_id), "")

    def test_what_cannot_be_read(self) -> None:
        """Is an error, and so is a folder that is none."""
        self.write("default", "x" * (LARGEST_FILE_BYTES + 1))
        self.assertRaises(SettingsError, read_files, str(self.folder), ASKER)
        self.assertRaises(SettingsError, check_folder, str(self.folder / "nowhere"))
        check_folder(str(self.folder))
        check_folder("")
