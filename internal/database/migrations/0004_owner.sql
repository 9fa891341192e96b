-- +goose Up
-- Whose database this is: the installation and the service that opened it first.
CREATE TABLE owner (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL
);

-- +goose Down
DROP TABLE owner;
