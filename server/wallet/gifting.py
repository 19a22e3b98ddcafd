"""Sending a gift: what it costs, who gets it, and the order that goes to the sender's wallet shard."""

from typing import Protocol

from server.domain.catalogue import Catalogue
from server.domain.errors import Code
from server.domain.gift import COUNT_MAX, GiftOrder, encode_body
from server.settings import Settings
from server.wallet.reply import Reply
from server.wallet.shards import WalletShards


class GiftRoom(Protocol):
    """What a gift must know of its room."""

    @property
    def id(self) -> str: ...
    @property
    def creator_id(self) -> str: ...
    @property
    def state(self) -> str: ...


class Gifting:
    """The rules that need no wallet; the others are in functions/gifts.lua."""

    def __init__(self, catalogue: Catalogue, shards: WalletShards, settings: Settings) -> None:
        self.catalogue = catalogue
        self._shards = shards
        self._gift_coins_max = settings.gift_coins_max

    def send(
        self,
        *,
        viewer: str,
        viewer_name: str,
        room: GiftRoom,
        gift: str,
        count: object,
        request_id: str,
        fingerprint: str = "",
        refusal: Code | None = None,
    ) -> Reply:
        """Sends one gift; the reply gets its answer.

        A refusal, the caller's or one found here, goes to the shard all the same: if this request was answered
        before, the first answer stands.
        """
        kind = self.catalogue.get(gift)
        if kind is None:
            return self._refuse(viewer, request_id, fingerprint, Code.UNKNOWN_GIFT)
        if type(count) is not int or not 1 <= count <= COUNT_MAX:
            return self._refuse(viewer, request_id, fingerprint, Code.BAD_COUNT)
        coins = kind.coins * count
        if refusal is None:
            refusal = self._verdict(viewer, room, active=kind.active, coins=coins)
        body = encode_body(
            request_id=request_id,
            viewer=viewer,
            viewer_name=viewer_name,
            room=room.id,
            creator=room.creator_id,
            gift=gift,
            version=kind.version,
            count=count,
            coins=coins,
            diamonds=kind.diamonds * count,
        )
        combo_key = f"{room.id}:{gift}" if kind.streakable else ""
        return self._shards.submit(GiftOrder(viewer, request_id, fingerprint, combo_key, count, coins, refusal, body))

    def _refuse(self, viewer: str, request_id: str, fingerprint: str, code: Code) -> Reply:
        """What has no price: refused, unless this request was answered before."""
        return self._shards.submit(
            GiftOrder(viewer, request_id, fingerprint, combo_key="", count=1, coins=0, refusal=code, body="")
        )

    def _verdict(self, viewer: str, room: GiftRoom, *, active: bool, coins: int) -> Code | None:
        if room.state != "live":
            return Code.ROOM_ENDED
        if viewer == room.creator_id:
            return Code.SELF_GIFT
        if not active:
            return Code.UNKNOWN_GIFT
        if coins > self._gift_coins_max:
            return Code.LIMIT_EXCEEDED
        return None
