"""Work in a network namespace, by a thread that ends with it: no other work ever runs there by mistake.

Source: network_namespaces(7), setns(2), ip-netns(8).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
from _thread import start_new_thread
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

DIRECTORY: Final = Path("/run/netns")
"""Where namespaces have names, as ``ip netns`` has it."""

LIMIT_SECONDS: Final = 30.0
"""How long a piece of work may take; it goes on, and nobody waits for it any more."""

_NEW_NETWORK = 0x40000000
_NAMESPACE_KIND = 0xB703
"""NS_GET_NSTYPE, which only files of namespaces answer (ioctl_ns(2))."""
_BIND, _RECURSIVE, _SHARED, _DETACH = 0x1000, 0x4000, 1 << 20, 2

_MOST_MOUNTS = 16
"""How many may lie on a name, one on the other."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")

T = TypeVar("T")


def on_thread(reactor: Any, work: Callable[[], T]) -> Deferred[T]:
    """Run ``work`` on a thread of its own; fire with what it returns. EdgeError where that is an OSError."""
    done: Deferred[Any] = Deferred()

    def run() -> None:
        try:
            result: object = work()
        except Exception as error:  # noqa: BLE001 # whoever waits for it is told
            result = Failure(error)
        reactor.callFromThread(done.callback, result)

    try:
        # Thread.start would keep the reactor until the thread has had its turn.
        start_new_thread(run, ())
    except RuntimeError as error:
        return fail(EdgeUnavailable(f"no thread can be started: {error}"))
    return done.addTimeout(LIMIT_SECONDS, reactor, _took_too_long).addErrback(as_edge_error)


def as_edge_error(failure: Failure) -> Failure:
    """Return what went wrong at the edge as an EdgeError, and anything else as it is."""
    error = failure.value
    return Failure(EdgeError(str(error))) if isinstance(error, OSError) else failure


def _took_too_long(_: object, seconds: float) -> Any:
    raise EdgeTimeout(f"work in a network namespace took more than {seconds:g} s")


def entered(descriptor: int, work: Callable[[], T]) -> Callable[[], T]:
    """Return what does ``work`` in the namespace of a descriptor, on a thread that does nothing afterwards. OSError.

    The descriptor may be closed from now on: another file may have its number before the thread runs.
    """
    kept = os.dup(descriptor)

    def do_inside() -> T:
        try:
            enter(kept)
        finally:
            os.close(kept)
        return work()

    return do_inside


def enter(descriptor: int) -> None:
    """Take the calling thread into the namespace of a descriptor. OSError."""
    _call("setns", descriptor, _NEW_NETWORK)


def make_named(name: str) -> int:
    """Make a namespace of this name and go into it; return a descriptor of it. OSError."""
    _call("unshare", _NEW_NETWORK)
    descriptor = _own()
    try:
        bind(name, descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def bind(name: str, descriptor: int) -> None:
    """Let the namespace of a descriptor have this name, and no other one have it. OSError."""
    _share_directory()
    remove_named(name)
    path = _path(name)
    path.touch(mode=0o444)
    try:
        _mount(f"/proc/self/fd/{descriptor}", str(path), _BIND)
    except OSError:
        path.unlink()
        raise


def remove_named(name: str) -> None:
    """Take a name away; its namespace ends when nobody is in it and nobody holds it. One that is not there is fine."""
    path = _path(name)
    for _ in range(_MOST_MOUNTS):
        try:
            _call("umount2", os.fsencode(path), _DETACH)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINVAL):
                # There is no such file, or it is a file and no more, as after a reboot.
                break
            raise
    path.unlink(missing_ok=True)


def is_named(name: str, descriptor: int) -> bool:
    """Whether a name leads to the namespace of a descriptor. OSError."""
    held = os.fstat(descriptor)
    try:
        found = os.stat(_path(name))
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)


def open_named(name: str) -> int | None:
    """Return a descriptor of a namespace; None when there is none of that name, as after a reboot. OSError."""
    if not _NAME.fullmatch(name):
        return None
    try:
        descriptor = os.open(_path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        fcntl.ioctl(descriptor, _NAMESPACE_KIND)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise OSError(errno.EINVAL, "no namespace can have this name")
    return DIRECTORY / name


def _own() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _share_directory() -> None:
    """Make the directory one in which names are seen by everybody, as ``ip netns add`` does."""
    DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        _mount("", str(DIRECTORY), _SHARED | _RECURSIVE)
    except OSError:
        # It is no mount yet.
        _mount(str(DIRECTORY), str(DIRECTORY), _BIND | _RECURSIVE)
        _mount("", str(DIRECTORY), _SHARED | _RECURSIVE)


def _mount(source: str, target: str, flags: int) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), b"none", flags, None)


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that answers 0. OSError."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
