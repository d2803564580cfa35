"""Several processes: how they talk to each other."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


@frozen
class BusSettings:
    """How processes talk to each other, by the broker of the amqp section; one that does everything needs none."""

    joined_by_hosts: bool = setting(
        False, "Whether other hosts may join a process that does everything: it then needs the broker, too."
    )
    exchange: str = setting("quantumd", "The direct exchange, and the first part of the name of every queue.")
    quorum: bool = setting(False, "Whether the queues are quorum queues, kept on several brokers.")
    host_user: str = setting(
        "",
        "The broker's user of each host, {host} standing for the host's name: what any other user says of a host is not"
        " believed by the API. Empty believes every user.",
    )
    signing_key_file: str = setting(
        "",
        "The file of a key that all processes have, of 32 bytes or more: each message is signed with it, and nothing"
        " else is believed. Empty trusts whoever the broker lets in.",
    )
