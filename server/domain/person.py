"""How a user stands in frames and rankings."""

import orjson


def person_json(user_id: str, name: str, badge: bytes = b"") -> bytes:
    """`{"id":…,"name":…}`. badge: more keys for it, each with a comma before it (`server/domain/look.py`)."""
    return orjson.dumps({"id": user_id, "name": name})[:-1] + badge + b"}"
