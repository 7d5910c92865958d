"""Amazon's binary framing of a stream (`application/vnd.amazon.eventstream`): lengths, headers, payload, checksums."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

A_TEXT = 7  # the type of a header's value


def frame(event: str, payload: Mapping[str, Any]) -> bytes:
    """Return one event in its frame."""
    headers = b"".join(
        header(name, value)
        for name, value in (
            (":event-type", event),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    text = json.dumps(payload).encode()
    lengths = struct.pack("!II", 16 + len(headers) + len(text), len(headers))
    prelude = lengths + struct.pack("!I", zlib.crc32(lengths))
    message = prelude + headers + text
    return message + struct.pack("!I", zlib.crc32(message))


def header(name: str, value: str) -> bytes:
    return (
        bytes([len(name)]) + name.encode() + bytes([A_TEXT]) + struct.pack("!H", len(value.encode())) + value.encode()
    )
