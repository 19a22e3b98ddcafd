"""What is sold, for admins: versions of gifts and items, and of packages of coins, with a preview."""

from aiohttp import web

from server.domain.catalogue import CatalogueGift, ItemKind
from server.domain.errors import Code, Refusal
from server.domain.packages import Package
from server.ledger.admin import offers
from server.ledger.recharge import packages
from server.web.admin.shapes import ItemVersion, ItemVersions, NewItem, NewPackage, PackageVersion, PackageVersions
from server.web.economy.http_packages import platform_of, region_of
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
    item = _asked(request, "item")
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


async def list_package_versions(request: web.Request) -> web.Response:
    """The newest version of every package, on sale or not, all versions of one `package`, or what a `region` buys."""
    await admin_of(request)
    package, platform, region = _asked(request, "package"), platform_of(request), region_of(request)
    async with services_of(request).pool.acquire() as conn:
        if region is None:
            found = await packages.versions(conn, package, VERSIONS_MAX)
        else:
            found = await packages.offered(conn, platform, region)
    return answer(PackageVersions([_package(one) for one in found]))


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
        coins_min=body.coins_min,
        coins_max=body.coins_max,
        active=body.active,
    )
    if wrong := package.contradiction:
        raise Refusal(Code.BAD_REQUEST, wrong)
    async with services.pool.acquire() as conn, conn.transaction():
        made = await offers.add_package(conn, admin.user_id, package, preview=body.preview)
    return answer(_package(made), 201)


def _asked(request: web.Request, name: str) -> str | None:
    """The id that the query asks for, if any."""
    return request.query.get(name, "").replace("\0", "") or None


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


def _package(package: Package) -> PackageVersion:
    return PackageVersion(
        id=package.id,
        version=package.version,
        platform=package.platform,  # type: ignore[arg-type]
        region=package.region,
        coins=package.coins,
        price=Money(package.amount, package.currency),
        per_1000_coins=Money(package.amount_per_1000_coins, package.currency),
        coins_min=package.coins_min,
        coins_max=package.coins_max,
        active=package.active,
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
        method="GET",
        path="/admin/packages",
        handler=list_package_versions,
        answer=PackageVersions,
        query={
            "package": "all versions of this one",
            "region": "ISO 3166-1 alpha-2: what is on sale there",
            "platform": "`web`, `ios` or `android`, of a region",
        },
        codes=(Code.NOT_FOUND,),
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
