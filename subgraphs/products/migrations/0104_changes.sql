-- +goose Up
ALTER TABLE category ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Since when a variant is no longer for sale. Its options are taken out of variant_option meanwhile: it is neither found,
-- filtered by nor counted.
ALTER TABLE variant ADD COLUMN archived_us BIGINT;

-- The categories whose products have to be indexed again, with those of all categories below: their names are among the
-- words of products. after_n is the last product that is done.
CREATE TABLE category_reindex (
    category_id TEXT PRIMARY KEY,
    after_n BIGINT NOT NULL
);

-- +goose Down
DROP TABLE category_reindex;
ALTER TABLE variant DROP COLUMN archived_us;
ALTER TABLE category DROP COLUMN version;
