-- +goose Up
-- When a charge that is pending is decided, or what is held lapses; 0 for never.
ALTER TABLE charge ADD COLUMN due_us BIGINT NOT NULL DEFAULT 0;
-- How many webhooks have told of it.
ALTER TABLE charge ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN decline_code TEXT NOT NULL DEFAULT '';
-- The request that made it.
ALTER TABLE charge ADD COLUMN request_key TEXT NOT NULL DEFAULT '';
CREATE INDEX charge_due ON charge (due_us) WHERE due_us > 0;

-- Requests that were turned away once, and are taken when they come again.
CREATE TABLE turned_away (
    key TEXT PRIMARY KEY
);

-- +goose Down
DROP TABLE turned_away;
DROP INDEX charge_due;
ALTER TABLE charge DROP COLUMN request_key;
ALTER TABLE charge DROP COLUMN decline_code;
ALTER TABLE charge DROP COLUMN told;
ALTER TABLE charge DROP COLUMN due_us;
