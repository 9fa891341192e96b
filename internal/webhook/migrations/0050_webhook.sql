-- +goose Up
-- Who is told by webhook, and of what.
CREATE TABLE webhook_endpoint (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The types it wants, separated by spaces; one that ends in * stands for all that begin so.
    types TEXT NOT NULL,
    -- Sealed; the previous one signs too for a while after it was replaced.
    secret TEXT NOT NULL,
    previous_secret TEXT NOT NULL DEFAULT '',
    previous_until_us BIGINT NOT NULL DEFAULT 0,
    enabled BOOLEAN NOT NULL,
    disabled_reason TEXT NOT NULL DEFAULT '',
    -- Since when no delivery has succeeded; 0 while they do.
    failing_us BIGINT NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL
);

-- What they are told: a row for each message and endpoint.
CREATE TABLE webhook_delivery (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoint (id),
    message_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_us BIGINT NOT NULL,
    -- What the last attempt came to: the status of the answer, or 0 and what went wrong.
    status BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    created_us BIGINT NOT NULL,
    finished_us BIGINT NOT NULL DEFAULT 0,
    copy BIGINT NOT NULL DEFAULT 0,
    UNIQUE (endpoint_id, message_id, copy)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_us) WHERE state = 'PENDING';
CREATE INDEX webhook_delivery_all ON webhook_delivery (created_us, id);
CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint_id, created_us, id);

-- +goose Down
DROP TABLE webhook_delivery;
DROP TABLE webhook_endpoint;
