"""Two Valkey servers, one of them the primary: restarts, copies of the data taken earlier, failovers, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import redis
from redis.exceptions import ResponseError

from server.stores import keys
from server.stores.redis import library_code
from tests.simulation.clock import MICROS_KEY, SECONDS_KEY, SERVER_TIME, SIMULATED_TIME, Clock

Command = tuple[tuple[Any, ...], Mapping[str, Any]]
"""Arguments and options, as redis-py keeps them."""

Copy = dict[bytes, tuple[bytes, int]]
"""All data of a server: key → (dump, time to live in ms, 0 for none)."""

LIBRARIES = {name: library_code(name).decode() for name in ("giftstream_wallet", "giftstream_rooms")}
"""What the real `load_functions` loads."""

_CLOCK_KEYS = {SECONDS_KEY.encode(), MICROS_KEY.encode()}


class Valkeys:
    """Runs commands on the primary. Its functions see the simulated clock.

    edits: library → what to load in its place, for a demonstration that a protection is needed.
    on_room(key): told after each call of a room's function of the primary, on_open() after a shard was opened there.
    on_wallets(server, client): told after each call of a wallet function, of whichever server.
    """

    def __init__(self, urls: list[str], clock: Clock, edits: Mapping[str, Callable[[str], str]] | None = None) -> None:
        self._clients = [redis.Redis.from_url(url, protocol=2) for url in urls]
        self._clock = clock
        self._shown_us = [0 for _ in urls]
        self.on_room: Callable[[str], None] = lambda key: None
        self.on_open: Callable[[], None] = lambda: None
        self.on_wallets: Callable[[int, redis.Redis], None] = lambda server, client: None
        self._loaded: dict[bytes, bytes] = {}
        for name, code in LIBRARIES.items():
            assert code.count(SERVER_TIME) == 1, f"{name} asks for the time in another way now"
            edited = (edits or {}).get(name, str)(code)
            self._loaded[code.encode()] = edited.replace(SERVER_TIME, SIMULATED_TIME).encode()
        self._original = {loaded: code for code, loaded in self._loaded.items()}
        self.primary = 0
        self._remembers = False
        """Whether the libraries of the other server still know what they did when it was the primary."""

    @property
    def client(self) -> redis.Redis:
        """A plain client of the primary, for looking."""
        return self._clients[self.primary]

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def clear(self) -> None:
        """Both servers, empty and without functions."""
        for client in self._clients:
            client.flushall()
            client.function_flush()
        self.primary = 0
        self._remembers = False
        self._shown_us = [0 for _ in self._clients]

    def run(self, commands: list[Command], old_primary: int | None = None) -> list[Any]:
        """The replies, in order; what the server refuses is among them as an error.

        old_primary: the server that is asked in place of the primary, by somebody who missed a failover.
        """
        server = self.primary if old_primary is None else old_primary
        self._show_time(server)
        replies: list[Any] = []
        for args, options in commands:
            try:
                replies.append(self._execute(self._clients[server], args, options))
            except ResponseError as error:
                replies.append(error)
        called = [args for args, _ in commands if args[0] == "FCALL"]
        if any(str(args[3]).startswith("{w") for args in called):
            self.on_wallets(server, self._clients[server])
        if server != self.primary:
            # What it does alone is left behind: it is resynchronised as a whole before it takes over again.
            self._remembers = False
            return replies
        if any(args[1] == "gs_open" for args in called):
            self.on_open()
        rooms = {args[3] for args in called if str(args[1]).startswith("gs_room_")}
        for key in sorted({key.decode() if isinstance(key, bytes) else key for key in rooms}):
            self.on_room(key)
        return replies

    def _execute(self, client: redis.Redis, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        if args[0] == "FUNCTION LOAD":
            return client.execute_command(*args[:-1], self._loaded[args[-1]], **options)
        if args[0] == "TIME":
            return divmod(self._clock.now_us, 1_000_000)
        reply = client.execute_command(*args, **options)
        if args[0] == "FUNCTION LIST":
            return [self._as_loaded(row) for row in reply]
        if args[0] == "SPOP" and isinstance(reply, list):
            return sorted(reply)
        if args[0] == "SCAN":
            return reply[0], sorted(reply[1])
        return reply

    def _as_loaded(self, row: Any) -> dict[bytes, Any]:
        held = row if isinstance(row, dict) else dict(zip(row[::2], row[1::2], strict=True))
        if b"library_code" in held:
            held[b"library_code"] = self._original.get(held[b"library_code"], held[b"library_code"])
        return held

    def _show_time(self, server: int) -> None:
        now_us = self._clock.now_us
        if self._shown_us[server] != now_us:
            self._shown_us[server] = now_us
            seconds, micros = divmod(now_us, 1_000_000)
            self._clients[server].mset({SECONDS_KEY: seconds, MICROS_KEY: micros})

    # What happens to servers.

    def all_open(self, shards: int) -> bool:
        """Whether the primary serves all shards."""
        try:
            states = [self.client.fcall("gs_state", 1, keys.shard(shard)) for shard in range(shards)]
        except ResponseError:
            return False
        return all(state[5] == b"1" for state in states)

    def restart(self) -> None:
        """The process ends and comes back with all its data; what its libraries remembered is gone."""
        self._load_libraries()
        self._remembers = False

    def _load_libraries(self) -> None:
        for code in self._loaded.values():
            self.client.function_load(code.decode(), replace=True)

    def wipe(self, *, functions: bool) -> None:
        """All data is gone; with its functions, or by a FLUSHALL that leaves them and what they remember."""
        self.client.flushall()
        if functions:
            self.client.function_flush()
            self._remembers = False
        self._shown_us[self.primary] = 0

    def copy(self) -> Copy:
        """All data as it is now."""
        names = sorted(key for key in self.client.scan_iter(count=1000) if key not in _CLOCK_KEYS)
        pipeline = self.client.pipeline(transaction=False)
        for key in names:
            pipeline.dump(key)
            pipeline.pttl(key)
        rows = pipeline.execute()
        return {key: (dump, max(ttl, 0)) for key, dump, ttl in zip(names, rows[::2], rows[1::2], strict=True) if dump}

    def put_back(self, copy: Copy) -> None:
        """The primary holds these data and no others; its libraries keep what they remember."""
        self.client.flushall()
        pipeline = self.client.pipeline(transaction=False)
        for key, (dump, ttl) in copy.items():
            pipeline.restore(key, ttl, dump)
        pipeline.execute()
        self._shown_us[self.primary] = 0

    def fail_over(self, copy: Copy, *, whole: bool) -> None:
        """The other server takes over, with the data that it had got. whole: it had got all that the primary had.

        Its libraries remember its own past where what it has goes on from that. Else it was resynchronised as a whole,
        and that loads them anew (tests/ledger/test_failover.py).
        """
        self.primary = 1 - self.primary
        self.put_back(copy)
        names = {row[b"library_name"] for row in map(self._as_loaded, self.client.function_list())}
        if not self._remembers or len(names) < len(self._loaded):
            self._load_libraries()
        self._remembers = whole
