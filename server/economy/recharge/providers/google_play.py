"""What Google Play knows of a purchase: asked by its token through the Play Developer API.

(https://developers.google.com/android-publisher/api-ref/rest/v3/purchases.products)
"""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Protocol
from urllib.parse import quote

import aiohttp
import jwt
import msgspec

from server.economy.recharge.providers.provider import ProviderAwayError

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_AGE_S = 600
RENEWED_BEFORE_S = 60.0
TIMEOUT_S = 15.0

PURCHASED, CANCELED, PENDING = 0, 1, 2


class PlayPurchase(msgspec.Struct, frozen=True, rename="camel"):
    """A purchase of a product. state: PURCHASED, CANCELED or PENDING."""

    order_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    state: int = msgspec.field(default=PENDING, name="purchaseState")
    quantity: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    account: str | None = msgspec.field(default=None, name="obfuscatedExternalAccountId")
    region_code: str | None = None


class PlayStore(Protocol):
    """Where purchases are looked up by their tokens."""

    async def look_up(self, product: str, token: str) -> PlayPurchase | None:
        """What the store knows of a purchase; None if there is no such. Raises ProviderAwayError."""
        ...

    async def consume(self, product: str, token: str) -> None:
        """Tells that a purchase was delivered: it is not given back by itself, and can be made again."""
        ...


class ServiceAccount(msgspec.Struct, frozen=True):
    """A service account's key file, as Google makes it."""

    client_email: str
    private_key: str
    token_uri: str

    @classmethod
    def from_file(cls, path: Path) -> "ServiceAccount":
        """Reads a key file. Raises OSError, ValueError."""
        return msgspec.json.decode(path.read_bytes(), type=cls)


class _AccessToken(msgspec.Struct):
    access_token: str
    expires_in: float


class PlayApi:
    """The Play Developer API for one app."""

    def __init__(self, account: ServiceAccount, package_name: str, api_url: str) -> None:
        self._account = account
        self._root = f"{api_url}/androidpublisher/v3/applications/{quote(package_name, safe='')}/purchases/products"
        self._token = ""
        self._token_until_s = 0.0
        self._renewing = asyncio.Lock()

    async def look_up(self, product: str, token: str) -> PlayPurchase | None:
        """What the store knows of a purchase. Raises ProviderAwayError."""
        status, body = await self._call("GET", product, token)
        if status in {400, 404, 410}:
            return None
        try:
            return msgspec.json.decode(body, type=PlayPurchase)
        except msgspec.MsgspecError as error:
            raise ProviderAwayError("Google Play answered what cannot be read") from error

    async def consume(self, product: str, token: str) -> None:
        """Tells that a purchase was delivered. Raises ProviderAwayError."""
        await self._call("POST", product, token, ":consume")

    async def _call(self, method: str, product: str, token: str, verb: str = "") -> tuple[int, bytes]:
        url = f"{self._root}/{quote(product, safe='')}/tokens/{quote(token, safe='')}{verb}"
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http:
                headers = {"Authorization": f"Bearer {await self._access_token(http)}"}
                async with http.request(method, url, headers=headers, allow_redirects=False) as answer:
                    if answer.status >= 500 or answer.status in {401, 403, 429}:
                        raise ProviderAwayError(f"Google Play answered {answer.status}")
                    return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderAwayError(f"Google Play: {type(error).__name__}") from error

    async def _access_token(self, http: aiohttp.ClientSession) -> str:
        """The token of the service account, renewed before it expires."""
        async with self._renewing:
            if time.monotonic() >= self._token_until_s:
                now = int(time.time())
                account = self._account
                claims = {"iss": account.client_email, "scope": SCOPE, "aud": account.token_uri, "iat": now}
                claims["exp"] = now + ASSERTION_AGE_S
                assertion = jwt.encode(claims, account.private_key, algorithm="RS256")
                form = {"grant_type": ASSERTION, "assertion": assertion}
                async with http.post(account.token_uri, data=form, allow_redirects=False) as answer:
                    if answer.status != 200:
                        raise ProviderAwayError(f"Google's token service answered {answer.status}")
                    made = msgspec.json.decode(await answer.read(), type=_AccessToken)
                self._token = made.access_token
                self._token_until_s = time.monotonic() + made.expires_in - RENEWED_BEFORE_S
            return self._token
