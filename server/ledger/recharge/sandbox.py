"""The pretend payment provider's own books: its payments, and its webhooks on their way."""

from dataclasses import dataclass

from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class SandboxPayment:
    """A payment as the pretend provider knows it."""

    purchase_id: str
    transaction: str
    amount: int
    currency: str
    method: str
    state: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that is due."""

    id: int
    url: str
    body: str


async def open_payment(pool: Pool, payment: SandboxPayment, webhook_url: str) -> SandboxPayment:
    """Opens a payment unless there is one for this purchase; answers the one that is there."""
    await pool.execute(
        """
        INSERT INTO sandbox_payments (purchase_id, transaction, amount, currency, method, webhook_url)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (purchase_id) DO UPDATE SET webhook_url = excluded.webhook_url
        """,
        payment.purchase_id,
        payment.transaction,
        payment.amount,
        payment.currency,
        payment.method,
        webhook_url,
    )
    held = await payment_of(pool, payment.purchase_id)
    assert held is not None
    return held


async def payment_of(conn: "Connection | Pool", purchase_id: str) -> SandboxPayment | None:
    """The payment for a purchase."""
    row = await conn.fetchrow(
        """
        SELECT purchase_id, transaction, amount, currency, method,
               CASE WHEN state = 'pending' AND settles_at <= now() THEN 'paid' ELSE state END AS state
        FROM sandbox_payments WHERE purchase_id = $1
        """,
        purchase_id,
    )
    return None if row is None else SandboxPayment(*row)


async def lock_payment(conn: Connection, purchase_id: str) -> SandboxPayment | None:
    """The payment for a purchase, held for the caller's transaction."""
    await conn.execute("SELECT FROM sandbox_payments WHERE purchase_id = $1 FOR UPDATE", purchase_id)
    return await payment_of(conn, purchase_id)


async def move(conn: Connection, purchase_id: str, state: str, settles_in_s: float | None = None) -> None:
    """Moves a payment on. settles_in_s: how long a pending one takes to be paid."""
    await conn.execute(
        """
        UPDATE sandbox_payments SET state = $2, settles_at = now() + make_interval(secs => $3) WHERE purchase_id = $1
        """,
        purchase_id,
        state,
        settles_in_s,
    )


async def post(conn: Connection, purchase_id: str, body: str, delay_s: float) -> None:
    """Puts a webhook on its way, to arrive after a delay."""
    await conn.execute(
        """
        INSERT INTO sandbox_deliveries (purchase_id, body, due_at) VALUES ($1, $2, now() + make_interval(secs => $3))
        """,
        purchase_id,
        body,
        delay_s,
    )


async def take_due(pool: Pool, limit: int, retry_s: float, tries_max: int) -> list[Delivery]:
    """Webhooks that are due; each comes again after `retry_s`, growing, unless it is said to be delivered."""
    rows = await pool.fetch(
        """
        UPDATE sandbox_deliveries SET tries = tries + 1, due_at = now() + make_interval(secs => $2 * 2 ^ tries)
        FROM sandbox_payments
        WHERE sandbox_payments.purchase_id = sandbox_deliveries.purchase_id AND id IN (
            SELECT id FROM sandbox_deliveries WHERE delivered_at IS NULL AND due_at <= now() AND tries < $3
            ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) RETURNING id, webhook_url, body
        """,
        limit,
        retry_s,
        tries_max,
    )
    return [Delivery(*row) for row in rows]


async def delivered(pool: Pool, delivery_id: int) -> None:
    """A webhook arrived."""
    await pool.execute("UPDATE sandbox_deliveries SET delivered_at = now() WHERE id = $1", delivery_id)
