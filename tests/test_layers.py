"""Who may import whom. The rules are those of the layers: one direction down, pure parts stay pure, no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[1]
HOST_ROLES = ("l2", "l3", "dhcp", "services")
ROLES = ("api", *HOST_ROLES)
MECHANISMS = ("store", "bus", "edge", "converge")
SHARED = ("config", "errors", "interfaces", "version")
PROGRAMS = ("start", "service", "server", "roles", "process", "ctl")
"""May import everything; nothing but those before them imports them."""

IMPURE = frozenset({
    "alembic", "asyncio", "concurrent", "klein", "logging", "multiprocessing", "os", "ovs", "prometheus_client",
    "pyroute2", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlalchemy", "subprocess",
    "tempfile", "threading", "time", "twisted",
})  # fmt: skip
PURE_PACKAGES = ("quantumd.model", "quantumd.compile")
PURE_PARTS = frozenset({"desired", "filtering", "plan", "steps", "names", "pipeline", "features"})
PURE_CODECS = (
    "quantumd.bus.codec",
    "quantumd.dhcp.associations6",
    "quantumd.dhcp.checksum",
    "quantumd.dhcp.classless",
    "quantumd.dhcp.domain_names",
    "quantumd.dhcp.extra4",
    "quantumd.dhcp.extra6",
    "quantumd.dhcp.extra_values",
    "quantumd.dhcp.frames",
    "quantumd.dhcp.frames6",
    "quantumd.dhcp.message",
    "quantumd.dhcp.message6",
    "quantumd.dhcp.neighbour",
    "quantumd.dhcp.neighbour6",
    "quantumd.dhcp.options",
    "quantumd.dhcp.options6",
    "quantumd.dhcp.responder",
    "quantumd.dhcp.responder6",
    "quantumd.edge.dhcpv6.messages",
    "quantumd.edge.http.answers",
    "quantumd.edge.http.messages",
    "quantumd.edge.http.streaming",
    "quantumd.edge.netns.announcement",
    "quantumd.edge.netns.interfaces",
    "quantumd.edge.netns.messages",
    "quantumd.edge.openflow.actions",
    "quantumd.edge.openflow.framing",
    "quantumd.edge.openflow.match",
    "quantumd.edge.openflow.messages",
    "quantumd.edge.openflow.oxm",
    "quantumd.edge.openflow.replies",
    "quantumd.l3.advertisement",
    "quantumd.l3.delegation.leases",
    "quantumd.l3.delegation.messages",
    "quantumd.l3.delegation.pace",
    "quantumd.services.dns.own",
    "quantumd.services.dns.passing",
    "quantumd.services.dns.wire",
    "quantumd.services.metadata.own",
    "quantumd.services.pace",
    "quantumd.services.metadata.passing",
    "quantumd.services.metadata.request",
)


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / "quantumd").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imported_names(tree: ast.AST, at_run_time: bool) -> Iterator[str]:
    """Yield the dotted name of everything imported, functions' own imports too; without type-only ones if asked."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif at_run_time and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imported_names(ast.Module(node.orelse, []), at_run_time)
        else:
            yield from imported_names(node, at_run_time)


def module_of(name: str) -> str:
    """The module that ``quantumd.a.b.Name`` or ``quantumd.a.b`` lives in."""
    return name if name in modules() else name.rpartition(".")[0]


@cache
def imports(module: str, at_run_time: bool = True) -> frozenset[str]:
    """What a module imports: modules of quantumd by their name, others by their top level name."""
    found = set()
    for name in imported_names(modules()[module], at_run_time):
        top = name.partition(".")[0]
        found.add(module_of(name) if top == "quantumd" else top)
    return frozenset(found - {module})


def room(module: str) -> str:
    """The first name below quantumd."""
    return module.split(".")[1] if "." in module else ""


def is_pure(module: str) -> bool:
    """Whether the layers promise that a module computes values and touches nothing."""
    parts = module.split(".")
    in_role = len(parts) > 2 and parts[1] in HOST_ROLES and not PURE_PARTS.isdisjoint(parts[2:])
    return in_role or module in PURE_CODECS or module.startswith(tuple(f"{name}." for name in PURE_PACKAGES))


def way_to_impurity(module: str, seen: frozenset[str] = frozenset()) -> str | None:
    """Return how a module comes to import something impure, or None."""
    for name in sorted(imports(module)):
        if name in IMPURE:
            return f"{module} -> {name}"
        if name in modules() and name not in seen | {module}:
            further = way_to_impurity(name, seen | {module})
            if further:
                return f"{module} -> {further}"
    return None


def cycles() -> list[str]:
    """Return each import cycle among modules of quantumd once, found by depth-first search."""
    found, finished = [], set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if module in trail:
            found.append(" -> ".join((*trail[trail.index(module) :], module)))
        elif module not in finished:
            for name in sorted(imports(module) & modules().keys()):
                visit(name, (*trail, module))
            finished.add(module)

    for module in modules():
        visit(module, ())
    return found


class LayerTests(SynchronousTestCase):
    """The layers as the imports show them."""

    def test_roles_never_import_each_other(self) -> None:
        """A role can run alone, on another machine than the rest."""
        breaches = [
            f"{module} -> {name}"
            for module in modules()
            if room(module) in ROLES
            for name in imports(module, at_run_time=False)
            if room(name) in ROLES and room(name) != room(module)
        ]
        self.assertEqual(breaches, [])

    def test_mechanisms_know_no_role(self) -> None:
        """Store, bus, edges and the loop serve whatever role uses them."""
        breaches = [
            f"{module} -> {name}"
            for module in modules()
            if room(module) in MECHANISMS
            for name in imports(module, at_run_time=False)
            if room(name) in ROLES
        ]
        self.assertEqual(breaches, [])

    def test_model_and_compile_import_only_each_other(self) -> None:
        """The nouns and rules stand below everything."""
        allowed = ("model", "compile", "errors")
        breaches = [
            f"{module} -> {name}"
            for module in modules()
            if room(module) in ("model", "compile")
            for name in imports(module, at_run_time=False)
            if name in modules() and name != "quantumd" and room(name) not in allowed
        ]
        self.assertEqual(breaches, [])

    def test_pure_modules_touch_nothing(self) -> None:
        """Deciding is done without clock, chance, threads, files or sockets, directly or through another module."""
        breaches = [way for module in modules() if is_pure(module) and (way := way_to_impurity(module))]
        self.assertEqual(breaches, [])

    def test_nothing_imports_the_programs(self) -> None:
        """The composition root is the top; so is quantumctl."""
        breaches = [
            f"{module} -> {name}"
            for module in modules()
            for name in imports(module, at_run_time=False)
            if room(name) in PROGRAMS and room(module) not in PROGRAMS[: PROGRAMS.index(room(name)) + 1]
        ]
        self.assertEqual(breaches, [])

    def test_there_are_no_import_cycles(self) -> None:
        """Every module can be understood after those below it."""
        self.assertEqual(cycles(), [])

    def test_only_the_composition_root_imports_the_reactor(self) -> None:
        """Everything else is given its reactor or clock, so tests can turn the time."""
        importers = [
            module
            for module, tree in modules().items()
            if "twisted.internet.reactor" in imported_names(tree, at_run_time=True)
        ]
        self.assertEqual([module for module in importers if module != "quantumd.service"], [])

    def test_every_imported_module_of_ours_exists(self) -> None:
        """The test reads imports; a name it cannot place would be a hole in it."""
        lost = [
            f"{module} -> {name}"
            for module in modules()
            for name in imports(module, at_run_time=False)
            if name.startswith("quantumd") and name not in modules()
        ]
        self.assertEqual(lost, [])

    def test_names_of_pure_codecs_are_modules(self) -> None:
        """The list of pure codecs names what is there."""
        self.assertEqual([name for name in PURE_CODECS if name not in modules()], [])


class ReaderTests(SynchronousTestCase):
    """The test itself sees what it must."""

    def test_an_import_inside_a_function_is_seen(self) -> None:
        """Hiding an import does not get it past the layers."""
        tree = ast.parse("def f():\n    from os import path\n")
        self.assertEqual(list(imported_names(tree, at_run_time=True)), ["os.path"])

    def test_an_import_for_types_only_is_not_a_run_time_import(self) -> None:
        """Naming a type costs nothing at run time, so purity allows it."""
        tree = ast.parse("if TYPE_CHECKING:\n    import os\nelse:\n    import json\n")
        self.assertEqual(list(imported_names(tree, at_run_time=True)), ["json"])
        self.assertEqual(list(imported_names(tree, at_run_time=False)), ["os", "json"])
