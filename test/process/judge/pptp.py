"""Scapy's view of PPTP control messages, for judge-scapy.test.ts.

In, as JSON on standard input: {"read": [hex, ...], "build": [{"class": name, "fields": {...}}, ...]}.
Out, as JSON: {"read": [{"class": name, "fields": {...}, "rest": hex}, ...], "build": [hex, ...]}.
Strings are Latin-1, without the zero octets that pad them.
"""

import json
import sys

from scapy.layers import pptp


def plain(value):
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode("latin-1")
    return int(value)


def read(octets):
    packet = pptp.PPTP(bytes.fromhex(octets))
    fields = {field.name: plain(packet.getfieldval(field.name)) for field in packet.fields_desc}
    return {"class": type(packet).__name__, "fields": fields, "rest": bytes(packet.payload).hex()}


def build(message):
    fields = {
        name: value.encode("latin-1") if isinstance(value, str) else value
        for name, value in message["fields"].items()
    }
    return bytes(getattr(pptp, message["class"])(**fields)).hex()


asked = json.load(sys.stdin)
json.dump({"read": [read(octets) for octets in asked["read"]], "build": [build(each) for each in asked["build"]]}, sys.stdout)
