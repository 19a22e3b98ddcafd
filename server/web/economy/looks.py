"""The looks of people in a ranking, as they are now: what a room keeps of them is as old as their last gift."""

from typing import Any

import orjson

from server.domain.errors import Code, Refusal
from server.domain.person import person_json
from server.rooms.badges import Badges
from server.stores.failures import REDIS_AWAY


async def with_looks(badges: Badges, places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The places, each `user` with what stands beside its name now. Raises Refusal (unavailable)."""
    try:
        await badges.learn(place["user"]["id"] for place in places)
    except REDIS_AWAY as error:
        raise Refusal(Code.UNAVAILABLE) from error
    return [place | {"user": _user(badges, place["user"])} for place in places]


def _user(badges: Badges, user: dict[str, Any]) -> Any:
    beside = badges.beside(user["id"])
    return orjson.loads(person_json(user["id"], user["name"], beside)) if beside else user
