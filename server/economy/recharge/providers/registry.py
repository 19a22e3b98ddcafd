"""Which payment providers this installation has, as its settings say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from server.economy.recharge.providers.apple import Apple
from server.economy.recharge.providers.apple_jws import AppleRoot
from server.economy.recharge.providers.google import Google, Keys
from server.economy.recharge.providers.google_play import PlayApi, ServiceAccount
from server.economy.recharge.providers.provider import AppStore, Provider, WebProvider
from server.economy.recharge.providers.sandbox.sandbox import Sandbox
from server.economy.recharge.providers.sandbox.signing import secret_of
from server.settings import Settings
from server.start_error import StartError
from server.stores.postgres import Pool

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Providers:
    """web: who takes payments in browsers; None where nobody does. stores: by platform, `ios` and `android`."""

    web: WebProvider | None = None
    stores: dict[str, AppStore] = field(default_factory=dict)

    @property
    def all(self) -> list[Provider]:
        """Every provider there is."""
        return [*([self.web] if self.web else []), *self.stores.values()]

    @property
    def sandbox(self) -> Sandbox | None:
        """The pretend provider, where it is the one of the web."""
        return self.web if isinstance(self.web, Sandbox) else None

    def get(self, name: str) -> Provider | None:
        """A provider by its name."""
        return next((provider for provider in self.all if provider.name == name), None)

    def selling_on(self, platform: str) -> bool:
        """Whether coins can be bought on a platform."""
        return self.web is not None if platform == "web" else platform in self.stores

    async def close(self) -> None:
        """Lets go of connections."""
        for provider in self.all:
            await provider.close()


def build_providers(settings: Settings, pool: Pool, google_keys: Keys | None = None) -> Providers:
    """The providers that are configured. Raises StartError when a file of one cannot be read."""
    stores: dict[str, AppStore] = {}
    if settings.apple_bundle_id:
        root = _read(AppleRoot.from_file, settings.apple_root_certificate, "GIFTSTREAM_APPLE_ROOT_CERTIFICATE")
        stores["ios"] = Apple(root, settings.apple_bundle_id, settings.apple_environment)
    if settings.google_package:
        account = _read(ServiceAccount.from_file, settings.google_credentials, "GIFTSTREAM_GOOGLE_CREDENTIALS")
        stores["android"] = Google(
            PlayApi(account, settings.google_package, settings.google_api_url),
            google_keys,
            package_name=settings.google_package,
            audience=settings.google_push_audience,
            email=settings.google_push_email,
        )
    return Providers(_web(settings, pool), stores)


def _web(settings: Settings, pool: Pool) -> WebProvider | None:
    if settings.payments == "stripe":
        # Hundreds of modules, for those who use it.
        from server.economy.recharge.providers.stripe_checkout import Stripe

        return Stripe(settings.stripe_key, settings.stripe_webhook_secret, settings.stripe_api_url)
    if settings.payments == "sandbox" or (settings.payments == "auto" and settings.demo):
        return Sandbox(pool, secret_of(settings.token_secret))
    return None


def _read(read: Callable[[Path], T], path: str, variable: str) -> T:
    try:
        return read(Path(path).expanduser())
    except (OSError, ValueError) as error:
        raise StartError(f"{variable}: {path!r} cannot be read: {error}") from error
