"""Connections to Redis or Valkey, its version, what its acknowledgement is worth, and our functions in it."""

from dataclasses import dataclass
from importlib.resources import files

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from server.stores.redis_client import Client

VERSION_MIN = (7, 2)
"""First release with WAITAOF, by which a write is known to be on disk."""

CONNECT_TIMEOUT_S = 2.0
REPLY_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 256
"""Of pipelines, subscriptions and the gifts' lanes; single calls share one."""

NOT_ON_DISK = "NO append-only file: a crash loses gifts that were acknowledged but not yet settled"

_LIBRARIES = {
    "giftstream_wallet": (
        "server.wallet",
        [f"functions/{part}.lua" for part in ("shard", "life", "held", "controls", "gifts", "wallets", "marks")],
    ),
    "giftstream_rooms": ("server.rooms", ["room.lua"]),
}


class StoreUnfit(Exception):  # noqa: N818 - a verdict on a store, shown to the operator
    """The store answers but cannot be used; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Durability:
    """What an acknowledgement of this Redis is worth.

    wait_aof: our calls must be followed by WAITAOF to be on disk. sentence: what a crash could lose.
    """

    version: str
    wait_aof: bool
    sentence: str


async def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`; bytes in and out.

    Nothing is retried silently: a caller that may repeat a write says so itself.
    Raises StoreUnfit for a server that is too old or an address of an unknown kind.
    """
    if url.startswith("redis+cluster://"):
        raise StoreUnfit("REDIS_URL: clusters are not supported by this version; name one Redis or Valkey")
    try:
        client = Client.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=REPLY_TIMEOUT_S,
            max_connections=CONNECTIONS_MAX,
            health_check_interval=0,
        )
    except ValueError as error:
        raise StoreUnfit(f"REDIS_URL: {error}") from error
    return client


async def durability(redis: Redis) -> Durability:
    """Reads version and persistence of the server.

    Raises StoreUnfit below 7.2 and for what cannot keep a promise, RedisError when it does not answer.
    """
    server = await redis.info("server")
    version = str(server["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < VERSION_MIN:
        raise StoreUnfit(f"Redis {version} is too old: 7.2 or later, or Valkey, is needed")
    name = f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {version}"
    try:
        config = await redis.config_get("appendonly", "appendfsync", "maxmemory-policy")
    except ResponseError:
        return await _hidden_durability(redis, name)
    if config.get("maxmemory-policy", "noeviction") != "noeviction":
        raise StoreUnfit(f"{name} may evict keys (maxmemory-policy {config['maxmemory-policy']}): set it to noeviction")
    if config.get("appendonly") != "yes":
        return Durability(name, False, NOT_ON_DISK)
    if config.get("appendfsync") == "always":
        return Durability(name, False, "append-only file, fsync before each answer: a crash loses nothing acknowledged")
    pace = config.get("appendfsync")
    if pace == "no":
        raise StoreUnfit(
            f"{name} never says when its append-only file is on disk: set appendfsync to always or everysec"
        )
    return Durability(name, True, f"append-only file, fsync {pace}: each gift waits for WAITAOF, a crash loses nothing")


async def _hidden_durability(redis: Redis, name: str) -> Durability:
    """Where CONFIG is not for us: WAITAOF says whether there is an append-only file."""
    try:
        await redis.execute_command("WAITAOF", 1, 0, 1)  # type: ignore[no-untyped-call]
    except ResponseError:
        return Durability(name, False, NOT_ON_DISK)
    return Durability(name, True, "configuration hidden: each gift waits for WAITAOF")


def library_code(name: str) -> bytes:
    """The code of a library: its files, one after the other, as a function sees what stands above it."""
    package, names = _LIBRARIES[name]
    return b"\n".join(files(package).joinpath(file_name).read_bytes() for file_name in names)


async def load_functions(redis: Redis) -> None:
    """Puts our function libraries into the server, or replaces those whose code differs.

    Replacing closes every shard's fence, which is harmless: the next call opens it again.
    """
    held = {row[b"library_name"]: row for row in await _libraries(redis)}
    for name in _LIBRARIES:
        code = library_code(name)
        row = held.get(name.encode())
        if row is None or row[b"library_code"] != code:
            await redis.function_load(code, replace=True)  # type: ignore[arg-type]


async def functions_loaded(redis: Redis) -> bool:
    """Whether both libraries are there (for /readyz)."""
    names = {row[b"library_name"] for row in await _libraries(redis, code=False)}
    return names >= {name.encode() for name in _LIBRARIES}


async def _libraries(redis: Redis, *, code: bool = True) -> list[dict[bytes, bytes]]:
    arguments = ["LIBRARYNAME", "giftstream_*"] + (["WITHCODE"] if code else [])
    rows = await redis.execute_command("FUNCTION LIST", *arguments)  # type: ignore[no-untyped-call]
    return [row if isinstance(row, dict) else dict(zip(row[::2], row[1::2], strict=True)) for row in rows]


def is_missing_function(error: RedisError) -> bool:
    """Whether a call failed because our libraries are not there (a server that was wiped)."""
    return "unction not found" in str(error)
