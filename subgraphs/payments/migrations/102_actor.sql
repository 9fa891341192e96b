-- +goose Up
-- Who asked for what happened to a payment; empty in lines that are older than this column.
ALTER TABLE payment_event ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payment_event DROP COLUMN actor;
