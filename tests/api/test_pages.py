"""Pages, order, and the times of lists, on the wire."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import ApiSettings
from tests.api.wire import Reply, Wire

IDS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(1, 6)]


class PageCase(SynchronousTestCase):
    """Serves five widgets named a to e."""

    settings = ApiSettings()

    def setUp(self) -> None:
        """Serve."""
        self.wire = Wire(settings=self.settings)
        for name in "abcde":
            self.wire.create(name=name, project_id="p1")

    def get(self, query: str, **headers: str) -> Reply:
        """Return a list."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.wire.request("GET", f"/v2.0/widgets?{query}", headers=named)

    def names(self, query: str) -> str:
        """Return the names in a list, put together."""
        return "".join(each["name"] for each in self.get(query).json["widgets"])

    def links(self, query: str, **headers: str) -> dict[str, str]:
        """Return the links of a page by their relation."""
        return {each["rel"]: each["href"] for each in self.get(query, **headers).json["widgets_links"]}


class PageTests(PageCase):
    """limit, marker, page_reverse and links."""

    def test_a_list_without_limit_has_no_links(self) -> None:
        """Whole lists are as they always were."""
        self.assertEqual(set(self.get("").json), {"widgets"})

    def test_the_first_page_has_both_links(self) -> None:
        """As today, also where nothing is before it."""
        links = self.links("limit=2&fields=name")
        base = "http://api.example:9696/v2.0/widgets?limit=2&fields=name&marker="
        self.assertEqual(links, {"next": f"{base}{IDS[1]}", "previous": f"{base}{IDS[0]}&page_reverse=True"})

    def test_the_last_page_has_no_next_link(self) -> None:
        """A page that is not full is the last one."""
        self.assertEqual(set(self.links(f"limit=2&marker={IDS[3]}")), {"previous"})

    def test_links_lead_through_everything(self) -> None:
        """Following next shows each once; following previous leads back."""
        seen, query = "", "limit=2"
        while query:
            seen += self.names(query)
            query = urlsplit(self.links(query).get("next", "")).query
        back = urlsplit(self.links(f"limit=2&marker={IDS[1]}")["previous"]).query
        self.assertEqual((seen, self.names(back)), ("abcde", "ab"))

    def test_an_empty_page_links_back_without_a_marker(self) -> None:
        """After the last one there is nothing, and nothing to begin at."""
        links = self.links(f"limit=2&marker={IDS[4]}")
        self.assertEqual(parse_qsl(urlsplit(links["previous"]).query), [("limit", "2"), ("page_reverse", "True")])

    def test_backward(self) -> None:
        """page_reverse shows what is before the marker, in forward order."""
        self.assertEqual(self.names(f"limit=2&marker={IDS[3]}&page_reverse=true"), "bc")
        self.assertEqual(self.names("limit=2&page_reverse=True"), "de")

    def test_an_unknown_marker_is_not_found(self) -> None:
        """As today it is the resource that is not found."""
        reply = self.get("limit=2&marker=nope")
        self.assertEqual(reply.error, (404, "WidgetNotFound", "Widget nope could not be found."))

    def test_wrong_limits_are_refused(self) -> None:
        """A limit is a number of 0 or more, and 0 is no limit."""
        message = "Bad limit request: Limit must be an integer 0 or greater and not 'abc'."
        self.assertEqual(self.get("limit=abc").error, (400, "BadRequest", message))
        self.assertEqual(self.get("limit=-1").error[:2], (400, "BadRequest"))
        self.assertEqual(self.get("limit=").error[:2], (400, "BadRequest"))
        self.assertEqual(set(self.get("limit=0").json), {"widgets"})

    def test_links_are_as_the_caller_came(self) -> None:
        """A proxy says which scheme the caller used."""
        for forwarded, scheme in (("https", "https"), ("https, http", "https"), ("gopher", "http")):
            href = self.links("limit=2", X_Forwarded_Proto=forwarded)["next"]
            self.assertEqual(urlsplit(href).scheme, scheme)


class LimitedTests(PageCase):
    """api.pagination_max_limit and api.link_prefix."""

    settings = ApiSettings(pagination_max_limit=2, link_prefix="https://api.example/network/")

    def test_no_page_is_larger(self) -> None:
        """Whatever the caller asks for, and when it asks for nothing."""
        found = [self.names(query) for query in ("", "limit=9", "limit=0", "limit=1")]
        self.assertEqual(found, ["ab", "ab", "ab", "a"])

    def test_links_begin_with_the_prefix(self) -> None:
        """Links lead through the front door, those of documents too."""
        self.assertEqual(self.links("")["next"], f"https://api.example/network/v2.0/widgets?marker={IDS[1]}")
        shown = self.wire.request("GET", "/").json["versions"][0]["links"][0]["href"]
        self.assertEqual(shown, "https://api.example/network/v2.0/")


class SortTests(PageCase):
    """sort_key and sort_dir."""

    def test_several_keys(self) -> None:
        """Each key has its direction; the first is the most important."""
        self.wire.create(name="a", project_id="p0")
        self.assertEqual(self.names("sort_key=name&sort_dir=desc"), "edcbaa")
        shown = self.get("sort_key=name&sort_dir=asc&sort_key=tenant_id&sort_dir=desc&limit=2").json["widgets"]
        self.assertEqual([each["project_id"] for each in shown], ["p1", "p0"])

    def test_counts_must_match(self) -> None:
        """As today this is looked at before the keys are."""
        message = "The number of sort_keys and sort_dirs must be same"
        self.assertEqual(self.get("sort_key=nope").error, (400, "HTTPBadRequest", message))

    def test_unknown_keys_and_directions_are_refused(self) -> None:
        """With today's words."""
        self.assertEqual(
            self.get("sort_key=nope&sort_dir=asc").error,
            (400, "HTTPBadRequest", "['nope'] is invalid attribute for sort_keys"),
        )
        self.assertEqual(
            self.get("sort_key=name&sort_dir=up").error,
            (400, "HTTPBadRequest", "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'"),
        )
        self.assertEqual(self.get("sort_key=colours&sort_dir=asc").error[:2], (400, "HTTPBadRequest"))


class TimeTests(PageCase):
    """Filters that only some resources have."""

    def test_what_cannot_be_tagged_has_no_tag_filters(self) -> None:
        """They are unknown filters there, and so is changed_since without times."""
        for name in ("tags", "not-tags-any", "changed_since"):
            self.assertEqual(self.get(f"{name}=x").error[2], f"['{name}'] is invalid attribute for filtering")
