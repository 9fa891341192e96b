-- +goose Up
-- What has been given back of the total.
ALTER TABLE orders ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0);
UPDATE orders SET refunded = total WHERE status = 'REFUNDED';

ALTER TABLE order_line ADD COLUMN refunded_quantity BIGINT NOT NULL DEFAULT 0 CHECK (refunded_quantity >= 0);
ALTER TABLE order_line ADD COLUMN restocked BIGINT NOT NULL DEFAULT 0 CHECK (restocked >= 0);
-- Who cancelled got everything back on the shelf; of what payments alone gave back, the buyer kept the goods.
UPDATE order_line SET refunded_quantity = quantity, restocked = quantity WHERE order_id IN (
    SELECT o.id FROM orders o WHERE o.status = 'REFUNDED'
        AND NOT EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = o.id AND h.to_status = 'REFUNDED' AND h.actor = 'payments')
);

-- What staff gave back of an order that was paid: the saga's steps repay and reshelve carry it out.
CREATE TABLE refund (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    amount BIGINT NOT NULL CHECK (amount > 0),
    state TEXT NOT NULL CHECK (state IN ('PENDING', 'SUCCEEDED', 'FAILED')),
    reason TEXT NOT NULL,
    failure TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX refund_order ON refund (order_id);
CREATE TABLE refund_line (
    refund_id TEXT NOT NULL REFERENCES refund (id),
    line_id TEXT NOT NULL REFERENCES order_line (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    restock BOOLEAN NOT NULL,
    PRIMARY KEY (refund_id, line_id)
);
ALTER TABLE saga ADD COLUMN refund_id TEXT NOT NULL DEFAULT '';

CREATE INDEX cart_anonymous ON cart (updated_us) WHERE user_id = '';

-- +goose Down
DROP INDEX cart_anonymous;
ALTER TABLE saga DROP COLUMN refund_id;
DROP TABLE refund_line;
DROP TABLE refund;
ALTER TABLE order_line DROP COLUMN restocked;
ALTER TABLE order_line DROP COLUMN refunded_quantity;
ALTER TABLE orders DROP COLUMN refunded;
