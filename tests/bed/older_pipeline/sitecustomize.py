"""Makes a process of quantumd one of another version of the pipeline: tables, but for the first, have other numbers.

Python imports this by itself where the directory is on the path. Every flow of the other version is another one, or is
in the place of another one: one table up, each table is where the next one was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

_NAME = "quantumd.l2.drivers.ovs.pipeline"
_TABLE = re.compile(r"^(    [A-Z_]+ = )([1-9]\d*)$", re.MULTILINE)


class MovedTables(SourceFileLoader):
    """Loads the pipeline with each table one up."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the other version; what is compiled of this one is not looked for."""
        head, marker, rest = str(self.get_source(fullname)).partition("class Table(")
        tables, end, tail = rest.partition("\n\n\n")
        moved = _TABLE.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", tables)
        if moved == tables:
            raise ImportError("there are no tables to move")
        return compile(head + marker + moved + end + tail, self.path, "exec")


class PipelineFinder:
    """Finds the pipeline before others do."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how the pipeline is loaded; of all else nothing is known here."""
        found = PathFinder.find_spec(name, path, target) if name == _NAME else None
        if found is not None and found.origin is not None:
            found.loader = MovedTables(name, found.origin)
        return found


sys.meta_path.insert(0, PipelineFinder)
