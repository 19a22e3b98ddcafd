"""Every setting of the project: its variable, type, default and meaning, in one table.

A setting is one line in ``Settings``. Its variable is ``GIFTSTREAM_<NAME>`` unless said otherwise; its type is the
annotation; an empty value means the default. ``python -m server.settings`` prints the table as Markdown.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.dotenv import read_dotenv
from server.setting import SettingsError, read_value, setting, variable, write_value

__all__ = [
    "DATA_DIR",
    "TOKEN_SECRET_CHARS_MIN",
    "Settings",
    "SettingsError",
    "default_worker_id",
    "is_setting",
    "load_settings",
    "markdown_table",
    "unknown_variables",
]

DATA_DIR = Path(".giftstream")
TOKEN_SECRET_CHARS_MIN = 32
TOKEN_SECRETS_FORMER_MAX = 8


def _url(*schemes: str) -> Callable[[str], str]:
    wanted = f"a URL that starts with {', '.join(schemes[:-1])} or {schemes[-1]}"
    return lambda url: "" if not url or url.startswith(schemes) else wanted


def _long_enough(secret: str) -> str:
    right = not secret or len(secret) >= TOKEN_SECRET_CHARS_MIN
    return "" if right else f"at least {TOKEN_SECRET_CHARS_MIN} characters long"


def _former_secrets(secrets: tuple[str, ...]) -> str:
    long_enough = all(len(secret) >= TOKEN_SECRET_CHARS_MIN for secret in secrets)
    if long_enough and len(secrets) <= TOKEN_SECRETS_FORMER_MAX:
        return ""
    return f"at most {TOKEN_SECRETS_FORMER_MAX} keys of {TOKEN_SECRET_CHARS_MIN} characters or more, commas between"


def _rewarded_providers(entries: tuple[str, ...]) -> str:
    parts = [entry.split() for entry in entries]
    right = all(
        len(part) == 4
        and part[0].isidentifier()
        and part[1] in {"ad", "survey"}
        and len(part[2]) >= TOKEN_SECRET_CHARS_MIN
        and part[3].startswith("https://")
        for part in parts
    )
    once = len({part[1] for part in parts}) == len(parts)
    if right and once:
        return ""
    return "at most one `name kind key url` of each kind, `ad` and `survey`, with keys of 32 characters or more"


def _key_set(url: str) -> str:
    try:
        parts = urlsplit(url)
        here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        right = not url or here or (parts.scheme == "https" and bool(parts.hostname)) or url.startswith("file:///")
    except ValueError:
        right = False
    return "" if right else "a URL that starts with https:// or file:///, or with http:// and is of this machine"


def _rate(text: str) -> str:
    right = re.fullmatch(r"[1-9]\d{0,8}/[1-9]\d{0,8}", text) is not None
    return "" if right else "a fraction of two whole numbers such as 1/2"


def _currency(code: str) -> str:
    return "" if re.fullmatch(r"[A-Z]{3}", code) else "a currency's three letters, such as USD"


def _origins(origins: tuple[str, ...]) -> str:
    right = all(o == "*" or (o.startswith(("http://", "https://")) and o.count("/") == 2) for o in origins)
    return "" if right else "origins like https://example.org, separated by commas, or *"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process. Made by ``load_settings``; a test may make one with what it needs."""

    # Stores
    redis_url: str = setting(
        "",
        "Redis 7.2+ or Valkey; unset: embedded Valkey",
        env="REDIS_URL",
        secret=True,
        check=_url("redis://", "rediss://", "unix://", "redis+cluster://"),
    )
    database_url: str = setting(
        "",
        "Postgres 14+; unset: embedded PostgreSQL",
        env="DATABASE_URL",
        secret=True,
        check=_url("postgresql://", "postgres://"),
    )
    data_dir: Path = setting(DATA_DIR, "folder of the embedded stores, of their sockets and of the token key")
    valkey_memory_mb: int = setting(
        0, "memory of the embedded Valkey, in MiB; 0: 60 % of the machine's, 256 or more", least=0, most=16_777_216
    )
    database_connections_max: int = setting(8, "connections one process holds to Postgres at most", least=1, most=1000)

    # Processes
    host: str = setting("127.0.0.1", "address the gateways listen on")
    port: int = setting(8080, "port the gateways listen on; 0: any free one", least=0, most=65_535)
    worker_port: int = setting(0, "port a worker serves /healthz and /metrics on; 0: none", least=0, most=65_535)
    gateways: int = setting(2, "gateway processes of `serve`", least=1, most=256)
    stores_wait_s: float = setting(
        0.0, "how long a process waits at its start for stores that do not answer", least=0, most=3600
    )
    worker_id: str = setting("", "name of this process among the others", shown="host name and process id")
    demo: bool = setting(False, "demo rooms, and a login without a password: never on a public server")
    demo_bots: bool = setting(
        True, "in demo mode: a few viewers that chat and send small gifts, so that rooms are alive"
    )
    demo_logins_per_minute: int = setting(6000, "demo logins from one address in a minute", least=1, most=1_000_000)
    drain_timeout_s: float = setting(
        10.0, "how long a process may take to finish when it is asked to stop", least=0, most=600
    )
    log_level: str = setting(
        "auto",
        "least level that is logged; `auto` is `warning` under `serve`, else `info`",
        one_of=("auto", "debug", "info", "warning", "error"),
    )
    log_format: str = setting(
        "auto", "`auto` is `console` on a terminal, else `json`", one_of=("auto", "console", "json")
    )
    metrics: bool = setting(True, "serve /metrics")
    metrics_token: str = setting(
        "", "bearer token that /metrics asks for; unset: only callers on the same machine may read it", secret=True
    )

    # Access
    token_secret: str = setting(
        "",
        f"key that signs tokens (HS256), {TOKEN_SECRET_CHARS_MIN} characters or more; `serve` makes one and keeps it",
        check=_long_enough,
        secret=True,
    )
    token_secrets_former: tuple[str, ...] = setting(
        (),
        "former signing keys, separated by commas: their tokens are still taken, and none is signed with them",
        check=_former_secrets,
        secret=True,
    )
    jwks_url: str = setting(
        "",
        "public keys (JWKS, https or file URL) of an identity provider whose tokens are taken too: RS256, ES256, EdDSA",
        check=_key_set,
    )
    jwks_issuer: str = setting("", "if set, what such a token must name as its `iss`")
    jwks_audience: str = setting(
        "", "what such a token must name among its `aud`; unset: only those that name none are taken"
    )
    age_gate: bool = setting(
        False,
        "nobody gives or opens a room without a birth date that allows it (18; 19 in South Korea), as nobody buys",
    )
    admin: bool = setting(False, "answer the admin calls, to tokens with the role `admin`; off: they do not exist")
    token_leeway_s: int = setting(30, "clock difference forgiven when a token is checked", least=0, most=3600)
    allowed_origins: tuple[str, ...] = setting(
        (), "origins, separated by commas, whose pages may connect; `*`: all", check=_origins, shown="the server's own"
    )

    # Wallets and settlement
    wallet_shards: int = setting(16, "wallet shards; fixed at the first start", least=1, most=1024)
    batch_max: int = setting(128, "gifts in one call of a wallet shard", least=1, most=1024)
    log_backlog_max: int = setting(
        1_000_000, "gifts in the logs, over all shards, past which new ones are `busy`", least=1000
    )
    gift_coins_max: int = setting(100_000_000, "coins one gift may cost, all its pieces together", least=1)
    dedupe_s: int = setting(600, "how long the answer to a request id is remembered, at least", least=60, most=86_400)
    wallet_idle_s: int = setting(86_400, "how long a wallet without unsettled gifts stays in Redis unused", least=60)
    settle_batch: int = setting(5000, "gifts settled in one transaction at most", least=1, most=100_000)
    settle_interval_ms: int = setting(
        500, "time between two settlements of a shard that has less than settle_batch waiting", least=1, most=60_000
    )

    # Rooms
    tick_ms: int = setting(100, "shortest time between two deltas of a room", least=10, most=10_000)
    combo_gap_ms: int = setting(3000, "pause that ends a combo", least=100, most=60_000)
    room_log_deltas: int = setting(600, "deltas a room keeps for members that come back", least=1, most=100_000)
    listed_bytes_per_second: int = setting(
        14_000,
        "bytes of gifts that a room's deltas list in a second, the most valuable first; `more` counts the rest",
        least=1000,
    )
    top_panel_size: int = setting(100, "top gifters in the full ranking", least=1, most=1000)

    # Connections
    heartbeat_s: int = setting(25, "time between pings; two unanswered ones end a connection", least=1, most=600)
    hello_timeout_s: float = setting(5.0, "time a connection has for its hello", least=0.1, most=60)
    frame_bytes_max: int = setting(8192, "largest frame of a client", least=1024, most=1_048_576)
    connections_per_user_max: int = setting(10, "connections of one user, over all gateways", least=1)
    connections_per_gateway_max: int = setting(20_000, "connections of one gateway process", least=1)
    rooms_per_connection_max: int = setting(5, "rooms that one connection can be in", least=1, most=1000)
    send_buffer_soft_bytes: int = setting(
        262_144, "unsent bytes past which a connection's deltas are skipped", least=1024
    )
    send_buffer_hard_bytes: int = setting(1_048_576, "unsent bytes past which a connection is cut off", least=2048)

    # Rates: so many in a second, and so many at once
    frames_per_second: float = setting(100.0, "frames of one connection", least=1)
    frames_burst: int = setting(600, "frames of one connection at once", least=1)
    bad_frames_per_minute: int = setting(10, "unreadable frames of one connection before it is closed", least=1)
    gifts_per_second: float = setting(50.0, "gifts of one user", least=0.01)
    gifts_burst: int = setting(300, "gifts of one user at once", least=1)
    gifts_in_flight_max: int = setting(256, "gifts of one connection waiting for their answer", least=1, most=10_000)
    chats_per_second: float = setting(1.0, "chat lines of one user in one room", least=0.01)
    chats_burst: int = setting(5, "chat lines of one user in one room at once", least=1)
    likes_per_second: float = setting(30.0, "likes of one connection", least=0.01)
    likes_burst: int = setting(60, "likes of one connection at once", least=1)

    # Earning coins
    referral_invited_coins: int = setting(100, "coins for somebody who was invited, after the first purchase", least=1)
    referral_inviter_coins: int = setting(100, "coins for who invited them", least=1)
    referrals_per_month_max: int = setting(20, "invitations that one user is rewarded for in 30 days", least=0)
    rewarded_ad_coins: int = setting(5, "coins for an ad that was watched", least=1)
    rewarded_ads_per_day: int = setting(10, "ads that one user is rewarded for in a day (UTC)", least=0)
    rewarded_survey_coins: int = setting(50, "coins for a survey that was answered", least=1)
    rewarded_surveys_per_day: int = setting(3, "surveys that one user is rewarded for in a day (UTC)", least=0)
    rewarded_providers: tuple[str, ...] = setting(
        (),
        "who shows ads or surveys, one of each, separated by commas: `name kind key url`, where kind is `ad` or"
        " `survey`, the key has 32 characters or more, and the url `{session}` in it; in demo mode a sandbox stands in",
        check=_rewarded_providers,
        secret=True,
    )

    # Creators and cash-out
    payout_provider: str = setting(
        "auto",
        "who pays creators out; `sandbox` moves no money; `auto`: the sandbox in demo mode, else nobody",
        one_of=("auto", "none", "sandbox"),
    )
    payout_followers_min: int = setting(
        -1, "followers that a cash-out asks for; -1: 1,000, and none in demo mode", least=-1
    )
    payout_rate: str = setting(
        "1/2", "what a diamond is worth, as a fraction of the currency's minor unit (1/2: half a cent)", check=_rate
    )
    payout_currency: str = setting("USD", "currency of cash-outs, with two decimal places", check=_currency)
    payout_min: int = setting(1000, "least that is paid out at once, in minor units (1000: 10.00)", least=1)
    payout_daily_max: int = setting(100_000, "most that one creator may cash out in a day (UTC), minor units", least=1)
    payout_hold_days: int = setting(
        -1,
        "days that a gift's diamonds are held before they are payable; -1: 7, and none in demo mode",
        least=-1,
        most=90,
    )
    payout_review_from: int = setting(
        50_000, "a cash-out of this amount or more is looked at by a person first, minor units", least=1
    )
    payout_day_s: float = setting(
        0.0,
        "how long a day of the sandbox lasts, to watch business days pass; 0: a real day, and 10 s in demo mode",
        least=0,
        most=86_400,
    )

    # Recharge
    payments: str = setting(
        "auto",
        "who takes payments in browsers; `sandbox` moves no money; `auto`: the sandbox in demo mode, else nobody",
        one_of=("auto", "none", "sandbox", "stripe"),
    )
    public_url: str = setting(
        "",
        "where people reach this server, for payment providers to send buyers back to",
        check=_url("https://", "http://"),
        shown="the address that was asked",
    )
    purchase_expires_s: int = setting(
        3600, "how long a purchase in a browser waits for its payment", least=1800, most=86_400
    )
    purchase_confirm_amount: int = setting(
        10_000, "least amount, in minor units, of purchases that are confirmed with a code (TOTP); 0: none is", least=0
    )
    purchases_per_day_max: int = setting(50, "purchases of one user that may be begun in 24 hours", least=1)
    fraud_coins_min: int = setting(
        5_000, "coins from which on patterns that look like fraud are flagged for a person", least=1
    )
    refund_hold_days: int = setting(
        30,
        "how long diamonds made of refunded coins are held for the debt to be paid",
        least=0,
        most=365,
    )
    stripe_key: str = setting("", "secret or restricted key of a Stripe account", secret=True)
    stripe_webhook_secret: str = setting("", "what Stripe signs webhooks with (`whsec_…`)", secret=True)
    stripe_api_url: str = setting("", "where Stripe's API is", check=_key_set, shown="Stripe's own")
    apple_bundle_id: str = setting("", "bundle id of the app that sells coins in Apple's App Store")
    apple_environment: str = setting(
        "Production", "which of Apple's environments counts", one_of=("Production", "Sandbox")
    )
    apple_root_certificate: str = setting("", "file with Apple's root certificate (Apple Root CA - G3)")
    google_package: str = setting("", "package name of the app that sells coins in Google Play")
    google_credentials: str = setting("", "key file of a service account that may see the app's orders")
    google_push_audience: str = setting("", "audience of the tokens that Pub/Sub pushes notifications with")
    google_push_email: str = setting("", "service account that Pub/Sub pushes notifications as")
    google_keys_url: str = setting(
        "https://www.googleapis.com/oauth2/v3/certs", "keys that such tokens are signed with", check=_key_set
    )
    google_api_url: str = setting(
        "https://androidpublisher.googleapis.com", "where Google Play's API is", check=_key_set
    )

    # Spending beyond gifts
    ticket_cancel_window_s: int = setting(
        600,
        "a room with tickets that ends sooner after its beginning counts as cancelled: tickets are returned",
        least=0,
        most=86_400,
    )

    def __post_init__(self) -> None:
        if self.send_buffer_soft_bytes >= self.send_buffer_hard_bytes:
            raise SettingsError(
                "GIFTSTREAM_SEND_BUFFER_HARD_BYTES must be greater than GIFTSTREAM_SEND_BUFFER_SOFT_BYTES"
            )
        missing = [
            name
            for names, wanted in (
                (("stripe_key", "stripe_webhook_secret"), self.payments == "stripe"),
                (("apple_root_certificate",), self.apple_bundle_id),
                (("google_credentials", "google_push_audience", "google_push_email"), self.google_package),
            )
            for name in names
            if wanted and not getattr(self, name)
        ]
        if missing:
            raise SettingsError(f"GIFTSTREAM_{missing[0].upper()} must be set for the provider that is configured")

    def as_environ(self) -> dict[str, str]:
        """Every setting as a variable, so that a child process has the same ones."""
        return {variable(f): write_value(getattr(self, f.name)) for f in fields(self)}


def load_settings(
    environ: Mapping[str, str] | None = None,
    *,
    given: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read the settings: ``given`` (from flags) wins over ``environ``, that over ``folder/.env``, that over defaults.

    Raises SettingsError with one line that names the variable.
    """
    environ = os.environ if environ is None else environ
    texts = {**read_dotenv((folder or Path.cwd()) / ".env"), **environ}
    values: dict[str, Any] = {}
    for f in fields(Settings):
        text = (given or {}).get(f.name, texts.get(variable(f), "")).strip()
        if text:
            values[f.name] = read_value(f, text)
    values["data_dir"] = Path(values.get("data_dir", DATA_DIR)).expanduser().absolute()
    values.setdefault("worker_id", default_worker_id())
    return Settings(**values)


def default_worker_id() -> str:
    """Name this process by its machine and number."""
    return f"{socket.gethostname()}-{os.getpid()}"


def is_setting(name: str) -> bool:
    """Tell whether a variable is one of ours, known or misspelt."""
    return name.startswith("GIFTSTREAM_") or name in {variable(f) for f in fields(Settings)}


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the GIFTSTREAM_ variables that are no settings: most likely misspelt."""
    known = {variable(f) for f in fields(Settings)}
    yield from sorted(name for name in environ if name.startswith("GIFTSTREAM_") and name not in known)


def markdown_table() -> str:
    """Return the README's table of settings."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for f in fields(Settings):
        default = f.metadata["shown"] or (f"`{write_value(f.default)}`" if write_value(f.default) else "")
        lines.append(f"| `{variable(f)}` | {default} | {f.metadata['meaning']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
