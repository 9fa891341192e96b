-- +goose Up
-- Users who are erased: the addresses of their orders go when the orders come to an end.
CREATE TABLE erased_user (
    user_id TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE erased_user;
