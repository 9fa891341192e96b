-- +goose Up
-- What an event goes on with: the request that it all began with, and its trace. Empty if it isn't known.
ALTER TABLE outbox ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE outbox DROP COLUMN traceparent;
ALTER TABLE outbox DROP COLUMN request;
