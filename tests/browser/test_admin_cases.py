"""The admin page's other buttons: bans, corrections, reports, flags, packages, challenges, cash-outs, books."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, expect

from server.economy.step_up import totp
from tests.browser.admin_desk import Office, because, go_to
from tests.browser.pages import Pages
from tests.browser.people import People
from tests.browser.site import Account, Site
from tests.browser.standards import fits, passes
from tests.browser.waiting import until, until_equal
from tests.serve_process import ServeProcess


async def test_a_banned_user_is_signed_out_and_may_come_back(people: People, site: Site, office: Office) -> None:
    people.pages.allow("40[13]")
    wallet = await people.pages.open("/wallet#history")
    await wallet.get_by_test_id("sign-in-name").fill("Otto")
    await wallet.get_by_test_id("sign-in-name").press("Enter")
    await expect(wallet.get_by_test_id("wallet-coins")).to_have_text("10,000")
    session = await wallet.evaluate("JSON.parse(sessionStorage.getItem('giftstream.session'))")
    otto = Account(session["user"]["id"], "Otto", session["token"])
    desk = await office.desk(people.pages, "adm_one", f"users/{otto.id}")
    await desk.get_by_test_id("ban").click()
    await desk.get_by_test_id("reason-submit").click()
    await expect(desk.get_by_text("Please give a reason.")).to_be_visible()
    await because(desk, "Threats")
    await expect(desk.get_by_test_id("user-state")).to_have_text("Banned: Threats")
    await expect(wallet.get_by_test_id("sign-in-name")).to_be_visible()
    await desk.get_by_test_id("unban").click()
    await because(desk, "Apologised")
    await expect(desk.get_by_test_id("user-state")).to_have_text("In good standing")
    assert await site.coins(otto) == 10_000


async def test_a_correction_that_is_rejected_moves_nothing(people: People, site: Site, office: Office) -> None:
    otto = await site.login("Otto")
    await site.post("/admin/adjustments", office.admin("adm_one"), user=otto.id, coins=700, reason="A guess")
    desk = await office.desk(people.pages, "adm_two", "waiting")
    waits = desk.get_by_test_id("correction").filter(has_text=otto.id)
    await waits.get_by_role("button", name="Reject").click()
    await expect(waits).to_have_count(0)
    assert await site.coins(otto) == 10_000
    await desk.goto(f"{site.url}/admin#record/{otto.id}")
    await expect(desk.get_by_test_id("deed").first).to_contain_text("adjustment rejected")


async def test_what_people_report_and_what_looks_odd_is_closed_with_an_outcome(
    people: People, site: Site, office: Office
) -> None:
    words = f"buy followers {secrets.token_hex(4)}"
    room, creator = await people.room()
    ana = await people.viewer("Ana", room)
    chatty = await people.viewer("Chatty", room)
    await chatty.say(words)
    await ana.part("chat-line").filter(has_text=words).click(button="right")
    await expect(ana.part("moderation-sheet").get_by_text("Mute")).to_have_count(2)
    await expect(ana.page.get_by_role("button", name="Ban from this room")).to_be_hidden()
    await ana.part("report-line").click()
    await ana.part("report-reason").select_option("spam")
    await ana.part("report-words").fill("In every room")
    await passes(ana.page)
    await fits(ana.page)
    await ana.part("report-send").click()
    await expect(ana.part("toast").last).to_contain_text("A person will look at it")
    await ana.part("report-room").click()
    await ana.part("report-send").click()
    await expect(ana.part("report-sheet")).to_be_hidden()
    await site.put("/account/profile", creator, region="PT")
    with pytest.raises(AssertionError, match="409"):
        await site.put("/account/profile", creator, region="ES")

    desk = await office.desk(people.pages, "adm_one", "waiting")
    reports = desk.get_by_test_id("report")
    of_line, of_room = reports.filter(has_text=words), reports.filter(has_text=f"room {room}")
    await expect(of_line).to_contain_text("In every room")
    await expect(of_room).to_contain_text(ana.account.id)
    odd = desk.get_by_test_id("flag").filter(has_text=creator.id)
    await expect(odd).to_contain_text("another_region")
    await passes(desk)
    await fits(desk)
    for case, outcome in ((of_line, "Spoken to"), (of_room, "Nothing wrong"), (odd, "Moved house")):
        await case.get_by_role("button", name="Close").click()
        await because(desk, outcome)
        await expect(case).to_have_count(0)
    await go_to(desk, "record")
    await expect(desk.get_by_test_id("deed").filter(has_text="Moved house")).to_contain_text("by adm_one")


async def test_a_package_has_versions_and_is_listed_also_when_it_is_not_sold(
    people: People, site: Site, office: Office
) -> None:
    name = f"web_{secrets.token_hex(4)}"
    desk = await office.desk(people.pages, "adm_one", "prices")
    form = desk.get_by_test_id("package-form")
    for label, value in {"Id": name, "Coins": "777", "Price in minor units": "700"}.items():
        await form.get_by_label(label, exact=True).fill(value)
    await form.get_by_label("On sale").uncheck()
    await desk.get_by_test_id("package-preview").click()
    await expect(desk.get_by_test_id("package-words")).to_contain_text("version 1: 777 coins for $7.00 on web")
    listed = desk.get_by_test_id("package").filter(has_text=name)
    await expect(listed).to_have_count(0)
    await desk.get_by_test_id("package-add").click()
    await expect(listed).to_contain_text("not on sale")
    await listed.get_by_role("button", name="New version").click()
    await form.get_by_label("Price in minor units").fill("650")
    await desk.get_by_test_id("package-preview").click()
    await desk.get_by_test_id("package-add").click()
    await expect(listed).to_contain_text("version 2")
    await expect(listed).to_contain_text("$6.50")
    await listed.get_by_role("button", name="Earlier versions").click()
    await expect(desk.get_by_test_id("earlier-versions")).to_contain_text("version 1: 777 coins for $7.00")
    await passes(desk)
    await fits(desk)
    assert name not in {one["id"] for one in (await site.get("/packages"))["packages"]}
    await expect(desk.get_by_test_id("package").filter(has_text="ios_70, version")).to_be_visible()


async def test_a_promotion_gets_a_new_version_and_a_challenge_is_tried_made_and_called_off(
    people: People, site: Site, office: Office
) -> None:
    mark = secrets.token_hex(4)
    stretch = {"starts_at": "2090-01-01T00:00:00Z", "ends_at": "2090-02-01T00:00:00Z", "announce": False}
    terms: dict[str, Any] = {"name": "In 2090", "kind": "bonus", "percent": 50, "uses_max": 5, "budget_coins": 900}
    await site.post("/admin/promotions", office.admin("adm_one"), id=f"far-{mark}", **terms, **stretch)
    desk = await office.desk(people.pages, "adm_one", "promotions")
    made = desk.get_by_test_id("promotion").filter(has_text=f"far-{mark}")
    await made.get_by_role("button", name="New version").click()
    form = desk.get_by_test_id("promotion-form")
    await form.get_by_label("Percent", exact=True).fill("60")
    await form.get_by_label("Platforms (discount: web)").fill("ios")
    await desk.get_by_test_id("promotion-preview").click()
    await expect(desk.get_by_test_id("promotion-words")).to_contain_text("A first purchase of ios_70 on ios in US")
    await desk.get_by_test_id("promotion-add").click()
    await expect(made.filter(has_text="version 2")).to_contain_text("60 % bonus")

    form = desk.get_by_test_id("challenge-form")
    fields = {"Id": f"far-{mark}", "Title": "Ten gifts", "From (UTC)": "2090-01-01T00:00"}
    numbers = {"Goal (not of contests)": "10", "Coins as reward": "5", "Winners at most": "3"}
    for label, value in {**fields, "To before (UTC)": "2090-01-08T00:00", **numbers}.items():
        await form.get_by_label(label, exact=True).fill(value)
    await form.get_by_label("Tell everybody").uncheck()
    await desk.get_by_test_id("challenge-preview").click()
    await expect(desk.get_by_test_id("challenge-words")).to_contain_text("would have taken part")
    await desk.get_by_test_id("challenge-add").click()
    challenge = desk.get_by_test_id("challenge").filter(has_text=f"far-{mark}")
    await expect(challenge).to_contain_text("open")
    await challenge.get_by_role("button", name="End").click()
    await expect(challenge).to_contain_text("cancelled")


@pytest.fixture(scope="module")
def slow_serve(browser: Browser, stores_folder: Path) -> Iterator[ServeProcess]:
    """A server of its own whose payouts wait for a person, and whose books hold nothing else."""
    process = ServeProcess(
        stores_folder / "browser-office" / "data",
        "--demo",
        GIFTSTREAM_ADMIN="1",
        GIFTSTREAM_DEMO_BOTS="0",
        GIFTSTREAM_PAYOUT_DAY_S="3600",
    )
    yield process
    process.close()
    shutil.rmtree(process.data_dir, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def own_pages(browser: Browser, slow_serve: ServeProcess) -> AsyncIterator[Pages]:
    """Pages of that server."""
    pages = Pages(browser, slow_serve.url)
    yield pages
    await pages.close()
    assert not pages.unexpected()


async def _confirmations(site: Site, creator: Account) -> tuple[str, str]:
    """Two, of an app that is set up for it."""
    secret = (await site.post("/account/step-up", creator))["secret"]
    code = totp.code_at(secret, totp.step_of(time.time()))
    enrolled = await site.post("/account/step-up/enrolment", creator, code=code)
    second = await site.post("/account/step-up/confirmations", creator, code=enrolled["recovery_codes"][0])
    return enrolled["confirmation"], second["confirmation"]


async def test_cash_outs_are_approved_and_refused_by_a_person(
    own_pages: Pages, slow_serve: ServeProcess, http: aiohttp.ClientSession
) -> None:
    site = Site(own_pages.url, http)
    creator, ben = await site.login("Mira"), await site.login("Ben")
    room = await site.open_room(creator)
    await site.give(ben, room, "rose", 5_000)

    async def payable() -> int:
        return int((await site.get("/creator/cash-out", creator))["diamonds"]["payable"])

    await until_equal(payable, 5_000, "the gift in the ledger")
    account = {"kind": "paypal", "holder": "Mira Doe", "destination": "mira@example.org"}
    method = (await site.post("/creator/payout-methods", creator, **account))["id"]
    for confirmation, diamonds in zip(await _confirmations(site, creator), (2_000, 3_000), strict=True):
        await site.post("/creator/payouts", creator, method=method, diamonds=diamonds, confirmation=confirmation)

    async def in_review() -> bool:
        return len((await site.get("/admin/payouts", Office(slow_serve).admin("adm_one")))["cases"]) == 2

    await until(in_review, "both before a person")
    desk = await Office(slow_serve).desk(own_pages, "adm_one", "waiting")
    cases = desk.get_by_test_id("payout")
    await expect(cases).to_have_count(2)
    await expect(cases.filter(has_text="$10.00")).to_contain_text("first_payout")
    await passes(desk)
    await fits(desk)
    await cases.filter(has_text="$15.00").get_by_role("button", name="Refuse").click()
    await because(desk, "Please add your full name")
    await expect(cases).to_have_count(1)
    await cases.get_by_role("button", name="Approve").click()
    await expect(cases).to_have_count(0)

    async def states() -> dict[int, str]:
        return {one["diamonds"]: one["state"] for one in (await site.get("/creator/payouts", creator))["payouts"]}

    await until_equal(states, {2_000: "sent", 3_000: "returned"}, "the payouts")
    await until_equal(payable, 3_000, "the diamonds that came back")


async def test_a_providers_report_agrees_and_the_figures_are_those_of_the_books(
    own_pages: Pages, slow_serve: ServeProcess, http: aiohttp.ClientSession
) -> None:
    site = Site(own_pages.url, http)
    ana = await site.login("Ana")
    bought = await site.post("/purchases", ana, package="web_1000", version=1, method="card", region="PT")
    await site.post(f"/purchases/{bought['id']}/checkout", ana)
    await site.post(f"/sandbox/payments/{bought['id']}", None, outcome="success")
    await until_equal(lambda: site.coins(ana), 11_000, "the coins")
    transaction = (await site.get(f"/purchases/{bought['id']}", ana))["transaction"]

    desk = await Office(slow_serve).desk(own_pages, "adm_one", "figures")
    await expect(desk.get_by_test_id("revenue").locator("tbody tr")).to_contain_text("$9.99")
    await expect(desk.get_by_test_id("outstanding")).to_contain_text("Coins bought1,000")
    for amount, said in ((999, "1 lines: both sides agree."), (998, "1 lines: 1 differences.")):
        report = f"transaction,amount,currency\n{transaction},{amount},USD\n".encode()
        upload = FilePayload(name="report.csv", mimeType="text/csv", buffer=report)
        await desk.get_by_test_id("report-file").set_input_files(upload)
        await desk.get_by_test_id("report-compare").click()
        await expect(desk.get_by_test_id("differences")).to_contain_text(said)
    await expect(desk.get_by_test_id("differences")).to_contain_text(bought["id"])

    await go_to(desk, "users")
    await desk.get_by_test_id("reference").fill(transaction)
    await desk.get_by_test_id("reference").press("Enter")
    await expect(desk.get_by_test_id("look-up").get_by_test_id("trace")).to_contain_text(bought["id"])
    await expect(desk.get_by_role("link", name=ana.id)).to_be_visible()
