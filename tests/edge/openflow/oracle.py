"""Run by another interpreter, which has os-ken: decodes messages of OpenFlow 1.4 given as JSON on standard input.

Input: a list of messages in hexadecimal. Output: for each, what os-ken reads in it and packs again.
"""

from __future__ import annotations

import json
import sys

from os_ken.ofproto import ofproto_parser, ofproto_v1_4_parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc


def decoded(data: bytes) -> object:
    """What os-ken reads in a message, and whether it packs it to the same bytes again."""
    protocol = ProtocolDesc(version=5)
    version, kind, length, xid = ofproto_parser.header(data)
    if kind == ofproto_v1_4_parser.ofproto.OFPT_BUNDLE_ADD_MESSAGE:
        inner = data[16:]
        return {"bundle": int.from_bytes(data[8:12], "big"), "flags": data[15], "message": decoded(inner)}
    parser = getattr(ofproto_v1_4_parser, _PARSERS[kind])
    message = parser.parser(protocol, version, kind, length, xid, data)
    message.serialize()
    return {"says": message.to_jsondict(), "repacked": bytes(message.buf).hex()}


_PARSERS = {14: "OFPFlowMod", 15: "OFPGroupMod", 29: "OFPMeterMod", 33: "OFPBundleCtrlMsg"}


def main() -> None:
    """Read, decode, print."""
    answers = []
    for text in json.load(sys.stdin):
        try:
            answers.append(decoded(bytes.fromhex(text)))
        except Exception as error:  # noqa: BLE001 - whatever it stumbles over is its answer
            answers.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
