"""Filters by nft's library, in the process: a transaction takes a millisecond, where a process would take twenty.

Whoever calls is held until it is done, and is in the namespace whose filters are meant. One call is made at a time, as
the library keeps names of devices and more for the whole process. Source: libnftables(3).
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from quantumd.edge.nft.interfaces import TABLE
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

LIBRARY: Final = "libnftables.so.1"
_NUMERIC: Final = 0x780
"""NFT_CTX_OUTPUT_NUMERIC_ALL: nothing is looked up in files."""
LIMIT_SECONDS: Final = 20.0
"""How long a call waits for its turn."""
_TURN: Final = threading.Lock()
_MISSING: Final = "No such file or directory"


def run_commands(commands: str) -> str:
    """Run commands as one transaction and return what they print. EdgeError."""
    library = _library()
    with _turn(), _context(library) as context:
        status = library.nft_run_cmd_from_buffer(context, commands.encode())
        if status != 0:
            complaint = library.nft_ctx_get_error_buffer(context) or b""
            raise EdgeError(f"nft: {complaint.decode(errors='replace').strip()[:2000]}")
        printed: bytes = library.nft_ctx_get_output_buffer(context) or b""
        return printed.decode(errors="replace")


def list_table(family: str) -> str:
    """Return the listing of our table of a family, '' when there is none. EdgeError."""
    try:
        return run_commands(f"list table {family} {TABLE}")
    except EdgeError as error:
        if _MISSING not in str(error):
            raise
        return ""


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURN.acquire(timeout=LIMIT_SECONDS):
        raise EdgeTimeout(f"nft's library was busy for {LIMIT_SECONDS:g} s")
    try:
        yield
    finally:
        _TURN.release()


@contextmanager
def _context(library: Any) -> Iterator[int]:
    # One for each call: it speaks of the namespace in which it is made, and holds memory while it is there.
    context = library.nft_ctx_new(0)
    if not context:
        raise EdgeUnavailable("nft's library could not be started")
    try:
        library.nft_ctx_output_set_flags(context, _NUMERIC)
        library.nft_ctx_buffer_output(context)
        library.nft_ctx_buffer_error(context)
        yield context
    finally:
        library.nft_ctx_free(context)


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise EdgeUnavailable(f"{LIBRARY} cannot be loaded, which the package libnftables1 brings") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = (ctypes.c_uint32,)
    library.nft_ctx_output_set_flags.argtypes = (ctypes.c_void_p, ctypes.c_uint)
    library.nft_run_cmd_from_buffer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    for name in ("nft_ctx_free", "nft_ctx_buffer_output", "nft_ctx_buffer_error"):
        getattr(library, name).argtypes = (ctypes.c_void_p,)
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = (ctypes.c_void_p,)
        getattr(library, name).restype = ctypes.c_char_p
    return library
