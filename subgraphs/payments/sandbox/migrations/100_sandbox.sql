-- +goose Up
-- The provider's book: what it holds and has taken of each card.
CREATE TABLE charge (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    order_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    state TEXT NOT NULL,
    captured BIGINT NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= amount),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= captured),
    created_us BIGINT NOT NULL
);
CREATE INDEX charge_order ON charge (order_id);

-- Every request it was sent, with its answer.
CREATE TABLE request (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    charge_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE request;
DROP TABLE charge;
