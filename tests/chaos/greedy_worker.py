"""A worker that believes it owns every shard, whatever the leases say. Everything else of it is the real one."""

from __future__ import annotations

import sys

from server.rooms.leases import Leases


async def take_all(leases: Leases) -> None:
    """In place of `Leases.renew`: signs of life, and no leases."""
    await leases._workers()
    leases.held = set(leases._shards)


if __name__ == "__main__":
    Leases.renew = take_all  # type: ignore[method-assign]
    from server.__main__ import main

    sys.argv = ["giftstream", "worker"]
    sys.exit(main())
