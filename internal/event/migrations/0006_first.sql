-- +goose Up
-- The event of a subject that the consumer began with: 0 where that wasn't noted. Those before it it has never had.
ALTER TABLE inbox_sequence ADD COLUMN first BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE inbox_sequence DROP COLUMN first;
