-- +goose Up
-- A payment of an order, and what became of it.
CREATE TABLE payment (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    method_token TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    authorized BIGINT NOT NULL DEFAULT 0 CHECK (authorized >= 0 AND authorized <= amount),
    captured BIGINT NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= authorized),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= captured),
    status TEXT NOT NULL,
    decline_code TEXT NOT NULL DEFAULT '',
    reference TEXT NOT NULL DEFAULT '',
    capture_at_once BOOLEAN NOT NULL,
    action_type TEXT NOT NULL DEFAULT '',
    action_url TEXT NOT NULL DEFAULT '',
    -- When the action or the authorisation lapses; 0 for never.
    expires_us BIGINT NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL
);
-- The last wall against charging an order twice: one payment that can hold or take money.
CREATE UNIQUE INDEX payment_live ON payment (order_id) WHERE status NOT IN ('DECLINED', 'VOIDED', 'EXPIRED');
CREATE INDEX payment_order ON payment (order_id);
CREATE INDEX payment_expiry ON payment (expires_us) WHERE expires_us > 0;

-- What was asked of the provider: committed before the request leaves, again when its outcome is known.
CREATE TABLE operation (
    key TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payment (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    -- The payment's status to go back to if the provider refuses.
    before TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    refund_id TEXT NOT NULL DEFAULT '',
    decline_code TEXT NOT NULL DEFAULT '',
    -- The command that this answers: see package idempotency.
    scope TEXT NOT NULL,
    command TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    -- From when on it may be asked again, by anybody.
    due_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX operation_open ON operation (payment_id) WHERE state IN ('INTENT', 'UNKNOWN');
CREATE INDEX operation_due ON operation (due_us) WHERE state IN ('INTENT', 'UNKNOWN');
CREATE INDEX operation_payment ON operation (payment_id);
CREATE INDEX operation_command ON operation (idempotency_key, scope);

-- Append-only: what happened to a payment, for people.
CREATE TABLE payment_event (
    payment_id TEXT NOT NULL REFERENCES payment (id),
    sequence BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    type TEXT NOT NULL,
    amount BIGINT NOT NULL,
    reference TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    PRIMARY KEY (payment_id, sequence)
);

-- Double entry, append-only: the entries of an operation add up to nothing.
CREATE TABLE ledger (
    operation_key TEXT NOT NULL REFERENCES operation (key),
    account TEXT NOT NULL,
    order_id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (operation_key, account)
);
CREATE INDEX ledger_order ON ledger (order_id);

-- What a user pays with: tokens, never card numbers.
CREATE TABLE payment_method (
    user_id TEXT NOT NULL,
    token TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp_month BIGINT NOT NULL,
    exp_year BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, token)
);

-- +goose Down
DROP TABLE payment_method;
DROP TABLE ledger;
DROP TABLE payment_event;
DROP TABLE operation;
DROP TABLE payment;
