"""Which stores a process uses: those of the settings, else those of the `serve` that runs on the data folder."""

from __future__ import annotations

from dataclasses import replace

from server.settings import Settings
from server.start_error import StartError
from server.stores.data_folder import running_serve


def with_stores(settings: Settings, *, redis: bool = True) -> Settings:
    """Return the settings with the URLs of both stores, or of Postgres alone. Raises StartError if there are none."""
    needed = {"REDIS_URL": settings.redis_url} if redis else {}
    needed["DATABASE_URL"] = settings.database_url
    missing = [name for name, url in needed.items() if not url]
    if not missing:
        return settings
    running = running_serve(settings.data_dir)
    if running is None:
        verb = "is" if len(missing) == 1 else "are"
        raise StartError(
            f"{' and '.join(missing)} {verb} not set, and no giftstream serve runs on {settings.data_dir} (--data-dir)"
        )
    return replace(
        settings,
        redis_url=settings.redis_url or running.redis_url,
        database_url=settings.database_url or running.database_url,
    )
