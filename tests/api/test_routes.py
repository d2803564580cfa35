"""Klein's routes as they are used here."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from werkzeug.exceptions import MethodNotAllowed, NotFound

from quantumd.api.routes import make_klein


class RouteTests(SynchronousTestCase):
    """Paths and methods find their endpoint."""

    def setUp(self) -> None:
        """Make three routes."""
        klein = make_klein()
        for method, path in (
            ("GET", "/things"),
            ("GET", "/things/<thing_id>"),
            ("PUT", "/things/<thing_id>/tags/<tag>"),
        ):
            klein.route(path, methods=[method], endpoint=f"{method} {path}")(lambda request: None)
        self.routes = klein.url_map.bind("here")

    def test_parts_of_paths_are_named(self) -> None:
        """What stands in a path is handed over by its name."""
        self.assertEqual(self.routes.match("/things", "GET"), ("GET /things", {}))
        self.assertEqual(self.routes.match("/things/1", "GET"), ("GET /things/<thing_id>", {"thing_id": "1"}))
        found = self.routes.match("/things/1/tags/a b", "PUT")
        self.assertEqual(found, ("PUT /things/<thing_id>/tags/<tag>", {"thing_id": "1", "tag": "a b"}))

    def test_what_has_no_route_is_not_found(self) -> None:
        """Nor is a path with too much in it."""
        for path in ("/", "/thing", "/things/1/2"):
            self.assertRaises(NotFound, self.routes.match, path, "GET")

    def test_other_methods_are_refused(self) -> None:
        """With those that there are; HEAD is GET without a body."""
        refusal = self.assertRaises(MethodNotAllowed, self.routes.match, "/things", "POST")
        self.assertEqual(set(refusal.valid_methods or ()), {"GET", "HEAD"})

    def test_paths_are_not_made(self) -> None:
        """Routes are one way."""
        self.assertRaises(NotImplementedError, self.routes.build, "GET /things")
