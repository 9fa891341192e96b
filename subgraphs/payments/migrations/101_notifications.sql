-- +goose Up
-- The provider's webhooks, each once: written in the transaction of what it led to.
CREATE TABLE notification (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    reference TEXT NOT NULL,
    -- The payment that it is about; empty if it is none of ours.
    payment_id TEXT NOT NULL,
    received_us BIGINT NOT NULL
);
CREATE INDEX notification_received ON notification (received_us);
CREATE INDEX payment_reference ON payment (reference) WHERE reference <> '';

-- +goose Down
DROP INDEX payment_reference;
DROP TABLE notification;
