"""Every Redis key and channel that Python names (docs/design.md lists what they hold).

Keys that only the functions touch (wallets, combos, remembered requests) are derived in Lua from the shard's tag.
"""

import re

from server.domain.ids import shard_label

DIRTY_ROOMS = "giftstream:dirty"
"""Set of rooms with chat, likes or a viewer count waiting for a delta."""

WORKERS = "giftstream:workers"
"""Sorted set: worker id → alive until (seconds since the epoch)."""

BALANCES = "giftstream:balances"
"""Channel of the gateways: whose balance changed (gateway, then users, a line each)."""

STEERING = "giftstream:steering"
"""Channel: an admin banned somebody or changed the catalogue; the message is empty."""

MODERATION = "giftstream:moderation"
"""Channel of the gateways: whose rules changed (gateway, `room` or `creator`, its id, a line each)."""

NOTICES = "giftstream:notices"
"""Channel of the gateways: for whom a notice was left (gateway, then users, a line each; `*` is everybody)."""

LOOKS = "giftstream:looks"
"""Channel of all processes: who looks different now (users, a line each)."""

DEMO_BOTS = "giftstream:demo:bots"
"""Which gateway runs the demo's viewers."""


def shard(number: int) -> str:
    """The state of a wallet shard; the key that every wallet function takes."""
    return f"{{{shard_label(number)}}}:shard"


def shard_log(number: int) -> str:
    """The stream of a shard's accepted gifts."""
    return f"{{{shard_label(number)}}}:log"


def shard_lease(number: int) -> str:
    """Which worker reads this shard into the rooms."""
    return f"{{{shard_label(number)}}}:lease"


WALLETS = "{w*}:*:w:*"
"""Pattern of all wallets, whatever their shard and epoch."""

_WALLET = re.compile(rb"\{w(\d+)\}:(\d+):w:(.+)")


def wallet(shard_number: int, epoch: int, viewer: str) -> str:
    """One viewer's wallet (read by the audit; written only by the functions)."""
    return f"{{{shard_label(shard_number)}}}:{epoch}:w:{viewer}"


def read_wallet(key: bytes) -> tuple[int, int, str] | None:
    """The shard, epoch and viewer of a wallet's key; None for any other key."""
    match = _WALLET.fullmatch(key)
    return None if match is None else (int(match[1]), int(match[2]), match[3].decode())


ROOMS = "{r:*}:room"
"""Pattern of all rooms."""

_ROOM = re.compile(rb"\{r:([^{}]+)\}:room")


def room(room_id: str) -> str:
    """The state of a room; the key that every room function takes."""
    return f"{{r:{room_id}}}:room"


def read_room(key: bytes) -> str | None:
    """The id of a room's key; None for any other key."""
    match = _ROOM.fullmatch(key)
    return None if match is None else match[1].decode()


def room_log(room_id: str) -> str:
    """The stream of a room's last finished frames."""
    return f"{{r:{room_id}}}:log"


def room_top(room_id: str) -> str:
    """The sorted set of a room's gifters by coins."""
    return f"{{r:{room_id}}}:top"


def room_gifters(room_id: str) -> str:
    """The hash of a room's gifters: id → `{"id":…,"name":…}`."""
    return f"{{r:{room_id}}}:who"


def room_loading(room_id: str, token: str) -> tuple[str, str, str, str]:
    """Where the parts (`top`, `who`, `shown`, `tickets`) of a room that is being loaded wait for `gs_room_load`."""
    loading = f"{{r:{room_id}}}:loading:{token}"
    return f"{loading}:top", f"{loading}:who", f"{loading}:shown", f"{loading}:tickets"


def room_channel(room_id: str) -> str:
    """The sharded channel that a room's finished frames are published on."""
    return f"{{r:{room_id}}}:deltas"


def read_room_channel(channel: bytes) -> str:
    """The room whose channel this is."""
    return channel[len("{r:") : -len("}:deltas")].decode()


def probe_channel(gateway_id: str) -> str:
    """The sharded channel that a gateway hears itself on."""
    return f"{{gateway:{gateway_id}}}:probe"


def connections(user_id: str) -> str:
    """The sorted set of a user's open sockets: session → expires at (seconds)."""
    return f"{{u:{user_id}}}:connections"


def look(user_id: str) -> str:
    """How a user looks to others, kept for a while (server/rooms/badges.py)."""
    return f"{{u:{user_id}}}:look"


def impression(user_id: str, room_id: str) -> str:
    """Notes for a while that a user was shown this room in a promoted place."""
    return f"{{u:{user_id}}}:saw:{room_id}"


def demo_login(key_digest: str) -> str:
    """The answer to a demo login, kept for a while under its Idempotency-Key."""
    return f"giftstream:demo:login:{key_digest}"
