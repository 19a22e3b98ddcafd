"""Buying an item that is no gift: what it costs, what it needs, and the order that goes to the buyer's wallet shard."""

from dataclasses import dataclass

from server.domain import text
from server.domain.catalogue import SHOWN_KINDS, Catalogue, CatalogueGift, ItemKind
from server.domain.errors import Code
from server.domain.gift import COUNT_MAX, Accepted, Answer, GiftOrder, encode_body
from server.domain.item_note import ItemNote, write_note
from server.economy.spending.ticket_door import TicketDoor
from server.rooms.rooms import RoomInfo
from server.settings import Settings
from server.wallet.shards import WalletShards

SINGLE_KINDS = frozenset({ItemKind.HIGHLIGHT, ItemKind.TICKET})
"""Items of which one is bought at a time."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to buy. room: where, None for what belongs to no room; text: of a highlighted comment.

    refusal: the caller's verdict so far; a request that was answered before still gets its first answer.
    """

    viewer: str
    viewer_name: str
    item: str
    count: object
    text: str
    room: RoomInfo | None
    request_id: str
    fingerprint: str = ""
    refusal: Code | None = None


@dataclass(frozen=True, slots=True)
class _Priced:
    """A wish with its price. version, coins, diamonds: of a piece."""

    item: CatalogueGift
    version: int
    coins: int
    diamonds: int


class Spending:
    """The rules that need no wallet; the others are in server/wallet/functions."""

    def __init__(self, catalogue: Catalogue, shards: WalletShards, door: TicketDoor, settings: Settings) -> None:
        self.catalogue = catalogue
        self._shards = shards
        self._door = door
        self._gift_coins_max = settings.gift_coins_max

    async def spend(self, wish: Wish) -> Answer:
        """Buys one item. Raises Refusal (room_not_found, unavailable) when its room cannot be asked."""
        item = self.catalogue.item(wish.item)
        if item is None:
            return await self._refuse(wish, wish.refusal or Code.UNKNOWN_GIFT)
        count = wish.count
        if type(count) is not int or not 1 <= count <= (1 if item.kind in SINGLE_KINDS else COUNT_MAX):
            return await self._refuse(wish, wish.refusal or Code.BAD_COUNT)
        priced, refusal = _price(item, wish.room), wish.refusal
        if refusal is None:
            refusal = _verdict(wish, item)
        if refusal is None and priced.coins * count > self._gift_coins_max:
            refusal = Code.LIMIT_EXCEEDED
        if item.kind is ItemKind.TICKET and wish.room is not None:
            return await self._buy_ticket(wish, wish.room, priced, refusal)
        return await self._shards.submit(_order(wish, priced, count, refusal))

    async def _buy_ticket(self, wish: Wish, room: RoomInfo, priced: _Priced, refusal: Code | None) -> Answer:
        refusal = refusal or await self._door.claim(room, wish.viewer, wish.request_id)
        answer = await self._shards.submit(_order(wish, priced, 1, refusal))
        if refusal is None or isinstance(answer, Accepted):
            await self._door.end_claim(room, wish.viewer, wish.request_id, answer)
        return answer

    async def _refuse(self, wish: Wish, code: Code) -> Answer:
        """What has no price: refused, unless this request was answered before."""
        order = GiftOrder(
            wish.viewer, wish.request_id, wish.fingerprint, combo_key="", count=1, coins=0, refusal=code, body=""
        )
        return await self._shards.submit(order)


def _verdict(wish: Wish, item: CatalogueGift) -> Code | None:
    """Why this cannot be bought there, whatever it costs."""
    if item.kind is ItemKind.UPGRADE:
        return None if item.active else Code.UNKNOWN_GIFT
    if wish.room is None:
        return Code.ROOM_NOT_FOUND
    return _verdict_in(wish.room, wish, item) if wish.room.state == "live" else Code.ROOM_ENDED


def _verdict_in(room: RoomInfo, wish: Wish, item: CatalogueGift) -> Code | None:
    # A room keeps the price of its ticket, also when that is not sold any more.
    if not (item.active if item.kind is not ItemKind.TICKET else _is_ticket_of(item, room)):
        return Code.UNKNOWN_GIFT
    if wish.viewer == room.creator_id and item.kind is not ItemKind.PROMOTE:
        return Code.SELF_GIFT
    if item.kind is ItemKind.HIGHLIGHT and not text.clean(wish.text, text.CHAT_CHARS_MAX):
        return Code.BAD_REQUEST
    return None


def _is_ticket_of(item: CatalogueGift, room: RoomInfo) -> bool:
    return room.ticket is not None and room.ticket.item == item.id


def _price(item: CatalogueGift, room: RoomInfo | None) -> _Priced:
    if room is not None and room.ticket is not None and room.ticket.item == item.id:
        return _Priced(item, room.ticket.version, room.ticket.coins, room.ticket.diamonds)
    return _Priced(item, item.version, item.coins, item.diamonds)


def _order(wish: Wish, priced: _Priced, count: int, refusal: Code | None) -> GiftOrder:
    item, room = priced.item, wish.room
    in_room = room is not None and (item.kind in SHOWN_KINDS or item.kind is ItemKind.TICKET)
    note = ItemNote(
        kind=item.kind,
        seconds=item.effect["seconds"] * count if item.kind in SHOWN_KINDS else 0,
        text=text.clean(wish.text, text.CHAT_CHARS_MAX) if item.kind is ItemKind.HIGHLIGHT else "",
        room=room.id if room is not None and item.kind is ItemKind.PROMOTE else "",
    )
    body = encode_body(
        request_id=wish.request_id,
        viewer=wish.viewer,
        viewer_name=wish.viewer_name,
        room=room.id if room is not None and in_room else "",
        creator=room.creator_id if room is not None and in_room else "",
        gift=item.id,
        version=priced.version,
        count=count,
        coins=priced.coins * count,
        diamonds=priced.diamonds * count,
        note=write_note(note),
    )
    return GiftOrder(wish.viewer, wish.request_id, wish.fingerprint, "", count, priced.coins * count, refusal, body)
