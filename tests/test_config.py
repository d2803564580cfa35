"""Settings: what a file may say, and what is answered when it is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import Settings, apply_document, load_settings
from quantumd.config.writing import sample
from quantumd.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


class FileTests(SynchronousTestCase):
    """Reading the settings file."""

    def write(self, text: str) -> Path:
        path = Path(self.mktemp())
        path.write_text(text)
        return path

    def refusal(self, text: str) -> str:
        """Return what is said of a file with this text, without the file's name."""
        path = self.write(text)
        error = self.assertRaises(SettingsError, load_settings, path)
        sentence = str(error)
        self.assertTrue(sentence.startswith(f"{path}: "), sentence)
        return sentence.removeprefix(f"{path}: ")

    def test_an_empty_file_gives_the_defaults(self) -> None:
        """Nothing has to be set."""
        self.assertEqual(load_settings(self.write("")), Settings())

    def test_a_value_in_the_file_is_taken(self) -> None:
        """Lists become tuples: settings are frozen through and through."""
        settings = load_settings(self.write('[network]\nvlan_ranges = ["physnet1:100:199"]\n[api]\nbulk_limit = 7\n'))
        self.assertEqual(settings.network.vlan_ranges, ("physnet1:100:199",))
        self.assertEqual(settings.api.bulk_limit, 7)

    def test_a_whole_number_serves_where_fractions_do(self) -> None:
        """``drain_seconds = 3`` is what people write."""
        drain = load_settings(self.write("[api]\ndrain_seconds = 3\n")).api.drain_seconds
        self.assertEqual((drain, type(drain)), (3.0, float))

    def test_an_unknown_key_names_the_nearest(self) -> None:
        """A typing error stops the start and is easy to mend."""
        said = self.refusal("[api]\nbulk_limits = 7\n")
        self.assertEqual(said, "api.bulk_limits: there is no such setting; did you mean api.bulk_limit?")

    def test_a_key_of_another_section_is_pointed_to(self) -> None:
        """The key is right and stands in the wrong place."""
        said = self.refusal("[dhcp]\nmtu_bytes = 1500\n")
        self.assertEqual(said, "dhcp.mtu_bytes: there is no such setting; did you mean network.mtu_bytes?")

    def test_an_unknown_section_names_the_nearest(self) -> None:
        """Sections are checked like keys."""
        self.assertEqual(self.refusal("[databse]\n"), "there is no section [databse]; did you mean database?")

    def test_a_wrong_type_says_what_is_expected(self) -> None:
        """A number in quotes is not a number."""
        self.assertEqual(self.refusal('[api]\nbulk_limit = "7"\n'), "api.bulk_limit: expected a whole number, got '7'")

    def test_true_is_not_a_number(self) -> None:
        """Python would take it for 1."""
        self.assertEqual(
            self.refusal("[api]\nbulk_limit = true\n"), "api.bulk_limit: expected a whole number, got True"
        )

    def test_a_value_out_of_the_choices_lists_them(self) -> None:
        """And suggests the nearest."""
        said = self.refusal('[l2]\ndatapath_type = "netdevs"\n')
        self.assertIn('expected "auto" or "system" or "netdev", got \'netdevs\'; did you mean netdev?', said)

    def test_a_value_out_of_range_says_the_bound(self) -> None:
        """Bounds are checked at start, not when they first hurt."""
        self.assertEqual(self.refusal("[database]\nreaders = 0\n"), "database.readers: must be at least 1, got 0")
        self.assertEqual(
            self.refusal("[network]\nmtu_bytes = 70000\n"), "network.mtu_bytes: must be at most 65535, got 70000"
        )

    def test_not_a_number_is_out_of_every_range(self) -> None:
        """TOML knows nan."""
        self.assertEqual(
            self.refusal("[log]\nstall_seconds = nan\n"), "log.stall_seconds: must be at least 0.001, got nan"
        )

    def test_a_value_where_a_section_belongs_says_so(self) -> None:
        """``api = 1`` at the top of the file."""
        self.assertEqual(self.refusal("api = 1\n"), "api is a section, write [api] and its settings below it")

    def test_broken_toml_says_where(self) -> None:
        """The line and column are tomllib's."""
        self.assertIn("line 1", self.refusal("[api\n"))

    def test_a_missing_file_says_so(self) -> None:
        """A named file must be there."""
        path = Path(self.mktemp())
        error = self.assertRaises(SettingsError, load_settings, path)
        self.assertEqual(str(error), f"{path}: No such file or directory")


class AssignmentTests(SynchronousTestCase):
    """``--set section.key=value``."""

    def test_a_text_needs_no_quotes(self) -> None:
        """Shells eat them."""
        self.assertEqual(load_settings(None, ["host.edges=memory"]).host.edges, "memory")

    def test_a_path_is_a_text(self) -> None:
        """What is not TOML is taken as it stands."""
        self.assertEqual(load_settings(None, ["host.state_dir=/a b/c"]).host.state_dir, "/a b/c")

    def test_a_number_and_a_list_are_toml(self) -> None:
        """As in the file."""
        settings = load_settings(None, ["api.bulk_limit=7", 'l2.bridge_mappings=["physnet1:br-ex"]'])
        self.assertEqual((settings.api.bulk_limit, settings.l2.bridge_mappings), (7, ("physnet1:br-ex",)))

    def test_a_text_that_looks_like_a_number_stays_a_text(self) -> None:
        """A host may be called 17."""
        self.assertEqual(load_settings(None, ["host.name=17"]).host.name, "17")

    def test_the_last_assignment_wins(self) -> None:
        """So a script can put its own before the user's."""
        self.assertEqual(load_settings(None, ["host.name=a", "host.name=b"]).host.name, "b")

    def test_what_is_no_assignment_is_refused(self) -> None:
        """With the form that is expected."""
        error = self.assertRaises(SettingsError, load_settings, None, ["edges"])
        self.assertEqual(str(error), "--set: expected section.key=value, got 'edges'")


class SampleTests(SynchronousTestCase):
    """``conf/quantumd.toml``."""

    def test_the_sample_file_is_up_to_date(self) -> None:
        """Made anew by ``python -m quantumd.config > conf/quantumd.toml``."""
        self.assertEqual((CHECKOUT / "conf" / "quantumd.toml").read_text(), sample())

    def test_the_sample_uncommented_is_the_defaults(self) -> None:
        """What the file says of the defaults is true, and every setting is in it."""
        lines = [
            line.removeprefix("#") if line.startswith("#") and line[1:2].isalpha() else ""
            for line in sample().splitlines()
        ]
        sections = [
            line if line.startswith("[") else plain for line, plain in zip(sample().splitlines(), lines, strict=True)
        ]
        document = tomllib.loads("\n".join(sections))
        self.assertEqual(sum(len(keys) for keys in document.values()), sample().count("\n#") - sample().count("\n# "))
        self.assertEqual(apply_document(Settings(), document, "sample"), Settings())
