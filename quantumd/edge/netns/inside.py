"""Work in a network namespace, by a thread that ends with it: no other work ever runs there by mistake.

Source: network_namespaces(7), setns(2), ip-netns(8).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

DIRECTORY: Final = Path("/run/netns")
"""Where namespaces have names, as ``ip netns`` has it."""

DEVICE_GONE: Final = frozenset({errno.ENODEV, errno.ENXIO, errno.ENETDOWN})

_NEW_NETWORK = 0x40000000
_NAMESPACE_KIND = 0xB703
"""NS_GET_NSTYPE, which only files of namespaces answer (ioctl_ns(2))."""
_BIND, _RECURSIVE, _SHARED, _DETACH = 0x1000, 0x4000, 1 << 20, 2

T = TypeVar("T")


def on_thread(reactor: Any, work: Callable[[], T]) -> Deferred[T]:
    """Run ``work`` on a thread of its own; fire with what it returns."""
    done: Deferred[Any] = Deferred()

    def run() -> None:
        try:
            result: object = work()
        except Exception as error:  # noqa: BLE001 # whoever waits for it is told
            result = Failure(error)
        reactor.callFromThread(done.callback, result)

    threading.Thread(target=run, name="netns", daemon=True).start()
    return done


def entered(descriptor: int, work: Callable[[], T]) -> Callable[[], T]:
    """Return what does ``work`` in the namespace of a descriptor, on a thread that does nothing afterwards."""

    def enter() -> T:
        _call("setns", descriptor, _NEW_NETWORK)
        return work()

    return enter


def make_named(name: str) -> int:
    """Make a namespace of this name and go into it; return a descriptor of it. OSError."""
    _share_directory()
    path = DIRECTORY / name
    path.touch(mode=0o444)
    try:
        _call("unshare", _NEW_NETWORK)
        return bind(name, _own())
    except OSError:
        path.unlink()
        raise


def bind(name: str, descriptor: int) -> int:
    """Give the namespace of a descriptor its name again; return the descriptor. OSError."""
    _share_directory()
    path = DIRECTORY / name
    path.touch(mode=0o444)
    _mount(f"/proc/self/fd/{descriptor}", str(path), _BIND)
    return descriptor


def remove_named(name: str) -> None:
    """Take a namespace's name away; it ends when nobody is in it and nobody holds it. One that is not there is fine."""
    path = DIRECTORY / name
    if path.exists():
        _call("umount2", os.fsencode(path), _DETACH)
        path.unlink(missing_ok=True)


def open_named(name: str) -> int | None:
    """Return a descriptor of a namespace; None when there is none of that name, as after a reboot."""
    try:
        descriptor = os.open(DIRECTORY / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.ioctl(descriptor, _NAMESPACE_KIND)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


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
