-- +goose Up
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (scope, operation, key)
);

-- +goose Down
DROP TABLE idempotency;
