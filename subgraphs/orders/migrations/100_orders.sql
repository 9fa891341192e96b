-- +goose Up
CREATE TABLE cart (
    id TEXT PRIMARY KEY,
    -- Empty for an anonymous cart, which belongs to whoever knows its id.
    user_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX cart_user ON cart (user_id) WHERE user_id <> '';
CREATE TABLE cart_line (
    id TEXT PRIMARY KEY,
    cart_id TEXT NOT NULL REFERENCES cart (id) ON DELETE CASCADE,
    variant_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    position BIGINT NOT NULL,
    UNIQUE (cart_id, variant_id)
);

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    cancel_reason TEXT NOT NULL DEFAULT '',
    currency TEXT NOT NULL,
    subtotal BIGINT NOT NULL CHECK (subtotal >= 0),
    shipping BIGINT NOT NULL CHECK (shipping >= 0),
    total BIGINT NOT NULL CHECK (total = subtotal + shipping),
    -- JSON: the address as it was.
    address TEXT NOT NULL,
    tracking_number TEXT NOT NULL DEFAULT '',
    -- JSON: what the buyer is told of a refusal; empty if there was none.
    failure TEXT NOT NULL DEFAULT '',
    placed_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE INDEX orders_user ON orders (user_id, placed_us, id);
CREATE INDEX orders_placed ON orders (placed_us, id);
CREATE TABLE order_line (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL,
    variant_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    product_name TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
    UNIQUE (order_id, position)
);

-- Append-only: the path of an order through its statuses.
CREATE TABLE order_history (
    order_id TEXT NOT NULL REFERENCES orders (id),
    sequence BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    correlation TEXT NOT NULL,
    PRIMARY KEY (order_id, sequence)
);

-- What is left to do for an order. The first step of the plan is the intent: it is, or is about to be, under way.
CREATE TABLE saga (
    order_id TEXT PRIMARY KEY REFERENCES orders (id),
    -- Steps, joined by commas; empty when there is nothing left to do.
    plan TEXT NOT NULL,
    -- The order's status and reason once the plan is done.
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    -- The reason of a cancellation that was asked for meanwhile.
    cancel TEXT NOT NULL DEFAULT '',
    cancel_actor TEXT NOT NULL DEFAULT '',
    -- Whether inventory said that the reservation has expired.
    expired BOOLEAN NOT NULL DEFAULT FALSE,
    token TEXT NOT NULL,
    payment_id TEXT NOT NULL DEFAULT '',
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Until when it may go forward without a payment.
    deadline_us BIGINT NOT NULL,
    -- When it is to be looked at again.
    next_us BIGINT NOT NULL,
    lease_owner TEXT NOT NULL,
    lease_until_us BIGINT NOT NULL
);
CREATE INDEX saga_due ON saga (next_us) WHERE plan <> '';

-- +goose Down
DROP TABLE saga;
DROP TABLE order_history;
DROP TABLE order_line;
DROP TABLE orders;
DROP TABLE cart_line;
DROP TABLE cart;
