-- The books of the pretend payment provider. They are not ours: what we know of a payment is what its webhooks say, or its answers.
CREATE TABLE sandbox_payments (
    purchase_id text PRIMARY KEY,
    transaction text NOT NULL UNIQUE,
    amount      bigint NOT NULL,
    currency    text NOT NULL,
    method      text NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN (
        'open', 'pending', 'paid', 'declined', 'expired', 'refunded', 'disputed', 'won', 'lost'
    )),
    settles_at  timestamptz,  -- from then on a pending payment is paid
    webhook_url text NOT NULL
);

-- Webhooks on their way.
CREATE TABLE sandbox_deliveries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purchase_id  text NOT NULL REFERENCES sandbox_payments,
    body         text NOT NULL,
    due_at       timestamptz NOT NULL,
    tries        smallint NOT NULL DEFAULT 0,
    delivered_at timestamptz
);
CREATE INDEX sandbox_deliveries_due ON sandbox_deliveries (due_at) WHERE delivered_at IS NULL;
