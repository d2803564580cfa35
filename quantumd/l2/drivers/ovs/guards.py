"""What policies, sets and prefixes ask for, by their keys."""

from __future__ import annotations

from quantumd.converge.plan import Key
from quantumd.l2.drivers.ovs import features
from quantumd.l2.drivers.ovs.desired import NONE, Objects
from quantumd.l2.drivers.ovs.policies import POLICY, REMOTE, SET, Policies

GUARDS = frozenset((POLICY, SET, REMOTE))
"""Nouns of the keys of what guards ports."""


def guard_objects(policies: Policies, key: Key) -> Objects:
    """Return what a key of GUARDS asks for."""
    noun, name = key
    if noun == POLICY:
        policy = policies.policy(name)
        return features.policy_objects(policy) if policy is not None else NONE
    if noun == SET:
        named = policies.set(name)
        return features.set_objects(named) if named is not None else NONE
    remote = policies.remote(name)
    return features.remote_objects(remote) if remote is not None else NONE
