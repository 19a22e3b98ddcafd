"""What is sold, for admins: versions of gifts and items, and of packages of coins, with a preview."""

from aiohttp import web

from server.domain.catalogue import CatalogueGift, ItemKind
from server.domain.errors import Code
from server.domain.packages import Package
from server.ledger.admin import offers
from server.web.admin.shapes import ItemVersion, ItemVersions, NewItem, NewPackage, PackageVersion
from server.web.economy.purchase_shapes import Money
from server.web.http import admin_of, answer, read_body, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

VERSIONS_MAX = 500

_new_item = StrictDecoder(NewItem)
_new_package = StrictDecoder(NewPackage)


async def list_item_versions(request: web.Request) -> web.Response:
    """The newest version of everything in the catalogue, or all versions of one `item`."""
    await admin_of(request)
    item = request.query.get("item", "").replace("\0", "") or None
    async with services_of(request).pool.acquire() as conn:
        found = await offers.item_versions(conn, item, VERSIONS_MAX)
    return answer(ItemVersions([_item(one) for one in found]))


async def add_item_version(request: web.Request) -> web.Response:
    """Add a version of an item, in force on every gateway at once; gifts that were sent keep their price."""
    services, admin = services_of(request), await admin_of(request)
    body = await read_body(request, _new_item)
    item = CatalogueGift(
        id=body.id,
        version=0,
        name=body.name,
        coins=body.coins,
        diamonds=body.diamonds,
        tier=body.tier,
        streakable=body.streakable,
        effect=body.effect,
        active=body.active,
        kind=ItemKind(body.kind),
    )
    async with services.pool.acquire() as conn, conn.transaction():
        made = await offers.add_item(conn, admin.user_id, item, preview=body.preview)
    if not body.preview:
        await services.steering.changed()
    return answer(_item(made), 201)


async def add_package_version(request: web.Request) -> web.Response:
    """Add a version of a package; purchases that were begun keep their price."""
    services, admin = services_of(request), await admin_of(request)
    body = await read_body(request, _new_package)
    package = Package(
        id=body.id,
        version=0,
        platform=body.platform,
        region=body.region,
        currency=body.currency,
        coins=body.coins,
        amount=body.amount,
        active=body.active,
    )
    async with services.pool.acquire() as conn, conn.transaction():
        made = await offers.add_package(conn, admin.user_id, package, preview=body.preview)
    return answer(
        PackageVersion(
            id=made.id,
            version=made.version,
            platform=made.platform,  # type: ignore[arg-type]
            region=made.region,
            coins=made.coins,
            price=Money(made.amount, made.currency),
            per_1000_coins=Money(made.amount_per_1000_coins, made.currency),
            active=made.active,
        ),
        201,
    )


def _item(item: CatalogueGift) -> ItemVersion:
    return ItemVersion(
        id=item.id,
        version=item.version,
        kind=item.kind.value,
        name=item.name,
        coins=item.coins,
        diamonds=item.diamonds,
        tier=item.tier,
        streakable=item.streakable,
        effect=dict(item.effect),
        active=item.active,
    )


ROUTES = (
    Route(
        method="GET",
        path="/admin/items",
        handler=list_item_versions,
        answer=ItemVersions,
        query={"item": "all versions of this one"},
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/items",
        handler=add_item_version,
        body=NewItem,
        answer=ItemVersion,
        status=201,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="POST",
        path="/admin/packages",
        handler=add_package_version,
        body=NewPackage,
        answer=PackageVersion,
        status=201,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
)
