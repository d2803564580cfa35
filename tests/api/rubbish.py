"""Values that nobody would send, as JSON text: wrong shapes, sizes and signs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_LONG: Final = json.dumps("a" * 100_000)

SCALARS: Final = (
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "-0.0",
    "1e400",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1" + "0" * 30,
    "1" + "0" * 400,
    "1" + "0" * 5000,
    "NaN",
    "-Infinity",
    '"NaN"',
    '"1e3"',
    '"0x10"',
    '"1_000"',
    '"9223372036854775808"',
    '"' + "9" * 5000 + '"',
    '"\u0661\u0662"',
    '""',
    '" "',
    json.dumps("a" * 256),
    _LONG,
)
"""Nothing, numbers, and texts that look like them or are long."""

TEXTS: Final = (
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u0001\\u001b[2J"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u202egnp.exe"',
    '"' + "e\u0301" * 300 + '"',
    '"\U0001f4a9\ufeff\uffff"',
    '"\u0130\u00df\u1e9e"',
    '"\' OR 1=1 --"',
    '"\'; DROP TABLE networks; --"',
    '"%"',
    '"_"',
    '"\\\\"',
    '"../../etc/passwd"',
    '"%s%n{0}{value}${x}"',
    '"<script>"',
    '"a,b"',
    '"line\\nbreak"',
)
"""Characters that somebody may take for something else."""

NETWORKED: Final = (
    '"0.0.0.0"',
    '"0.0.0.0/0"',
    '"::/0"',
    '"10.0.0.5/33"',
    '"10.0.0.1/-1"',
    '"10.0.0.1/255.255.255.0"',
    '"255.255.255.255/32"',
    '"::ffff:10.0.0.1"',
    '"fe80::1%eth0"',
    '"fe80::1%' + "a" * 500 + '"',
    '"1.2.3"',
    '"010.0.0.1"',
    '"ff:ff:ff:ff:ff:ff"',
    '"00-00-00-00-00-01"',
    '"deadbeef-0000-4000-8000-000000000000"',
    '"{DEADBEEF-0000-4000-8000-000000000000}"',
    '"deadbeef000040008000000000000000"',
)
"""Addresses, prefixes and ids that are none, or nobody's."""

SHAPES: Final = (
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[{}]",
    '[{"a": 1}]',
    '{"a": 1}',
    '{"": ""}',
    '["a", "a"]',
    "[1, 1.0, true]",
    "[" * 30 + "]" * 30,
    '{"a": ' * 30 + "1" + "}" * 30,
    "[" * 18 + "]" * 18,
    '{"a": ' * 18 + "1" + "}" * 18,
    json.dumps(list(range(5000))),
    json.dumps([f"10.{each // 250}.{each % 250}.0/24" for each in range(3000)]),
)
"""Lists and objects of wrong shapes and sizes."""

EVERYTHING: Final = (*SCALARS, *TEXTS, *NETWORKED, *SHAPES)


def inside(schema: Mapping[str, Any], values: tuple[str, ...]) -> Iterator[str]:
    """Yield objects, or lists of one, whose keys are those of the schema, one of them with a wrong value."""
    items = schema.get("items", {})
    if "properties" in items:
        yield from (f"[{each}]" for each in inside(items, values))
    elif items:
        yield from (f"[{each}]" for each in values)
    for key in schema.get("properties", {}):
        yield from (f"{{{json.dumps(key)}: {each}}}" for each in values)
    for choice in schema.get("anyOf", schema.get("oneOf", ())):
        yield from inside(choice, values)
