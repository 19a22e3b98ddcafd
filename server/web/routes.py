"""Every call of the HTTP interface, in the order of its documentation."""

from server.web import http_blocks, http_demo, http_gifts, http_moderation, http_money, http_rooms
from server.web.economy import (
    http_challenges,
    http_challenges_admin,
    http_follows,
    http_notices,
    http_payout_review,
    http_payouts,
    http_promotions_admin,
    http_purchases,
    http_rewarded,
    http_rewards,
    http_sandbox,
    http_spending,
    http_step_up,
    http_webhooks,
)
from server.web.route import Route

ROUTES: tuple[Route, ...] = (
    *http_demo.ROUTES,
    *http_gifts.ROUTES,
    *http_rooms.ROUTES,
    *http_moderation.ROUTES,
    *http_blocks.ROUTES,
    *http_money.ROUTES,
    *http_purchases.ROUTES,
    *http_sandbox.ROUTES,
    *http_webhooks.ROUTES,
    *http_step_up.ROUTES,
    *http_follows.ROUTES,
    *http_payouts.ROUTES,
    *http_payout_review.ROUTES,
    *http_notices.ROUTES,
    *http_rewards.ROUTES,
    *http_challenges.ROUTES,
    *http_rewarded.ROUTES,
    *http_promotions_admin.ROUTES,
    *http_challenges_admin.ROUTES,
    *http_spending.ROUTES,
)
