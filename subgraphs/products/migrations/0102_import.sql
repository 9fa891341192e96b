-- +goose Up
-- How far the import of a file has come, written in the transaction of what was imported: file is its digest, line the
-- last one that is done. The row goes when the import ends.
CREATE TABLE import_checkpoint (
    file TEXT PRIMARY KEY,
    line BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    same BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE import_checkpoint;
