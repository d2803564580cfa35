"""Network segments and segment ranges, and what hangs on networks."""

from __future__ import annotations
