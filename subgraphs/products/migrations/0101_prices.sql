-- +goose Up
ALTER TABLE variant ADD COLUMN compare_at BIGINT;

-- The prices that variants are going to have. One that has begun goes before the price of the variant's own row, until
-- it is moved there; reprice_us of the product is when the first of them begins.
CREATE TABLE scheduled_price (
    variant_id TEXT NOT NULL REFERENCES variant (id),
    from_us BIGINT NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    compare_at BIGINT CHECK (compare_at > price),
    PRIMARY KEY (variant_id, from_us)
);
ALTER TABLE product ADD COLUMN reprice_us BIGINT;
CREATE INDEX product_reprice ON product (reprice_us) WHERE reprice_us IS NOT NULL;

CREATE TABLE price_list (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- Empty for all channels.
    channel TEXT NOT NULL,
    valid_from_us BIGINT NOT NULL,
    valid_until_us BIGINT CHECK (valid_until_us > valid_from_us),
    version BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE TABLE list_price (
    variant_id TEXT NOT NULL REFERENCES variant (id),
    list_id TEXT NOT NULL REFERENCES price_list (id),
    from_us BIGINT NOT NULL,
    -- NULL if the variant is not in the list from then on.
    price BIGINT CHECK (price > 0),
    compare_at BIGINT CHECK (compare_at > price),
    PRIMARY KEY (variant_id, list_id, from_us)
);

-- +goose Down
DROP TABLE list_price;
DROP TABLE price_list;
DROP INDEX product_reprice;
ALTER TABLE product DROP COLUMN reprice_us;
DROP TABLE scheduled_price;
ALTER TABLE variant DROP COLUMN compare_at;
