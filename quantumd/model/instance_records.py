"""Records of what uses a port: what a service tells, or tells others, of who asks it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class InstanceRecord:
    """Whose a port is that is bound to the host, and what it is called; ``id`` is the port's.

    ``device_id`` is the server's in Nova, and may be ''. ``dns_name`` is '' where nobody gave it one.
    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.instance"
    id: str
    version: int
    device_id: str
    project_id: str
    name: str
    dns_name: str
    tags: tuple[str, ...] = ()
