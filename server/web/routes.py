"""Every call of the HTTP interface, in the order of its documentation."""

from server.web import http_blocks, http_demo, http_gifts, http_moderation, http_money, http_rooms
from server.web.admin import http_adjustments, http_figures, http_offers, http_users
from server.web.economy import (
    http_analytics,
    http_follows,
    http_history,
    http_notices,
    http_payout_review,
    http_payouts,
    http_purchases,
    http_sandbox,
    http_spending,
    http_statements,
    http_step_up,
    http_visibility,
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
    *http_history.ROUTES,
    *http_sandbox.ROUTES,
    *http_webhooks.ROUTES,
    *http_step_up.ROUTES,
    *http_follows.ROUTES,
    *http_analytics.ROUTES,
    *http_payouts.ROUTES,
    *http_statements.ROUTES,
    *http_payout_review.ROUTES,
    *http_notices.ROUTES,
    *http_spending.ROUTES,
    *http_users.ROUTES,
    *http_adjustments.ROUTES,
    *http_offers.ROUTES,
    *http_figures.ROUTES,
    *http_visibility.ROUTES,
)
