-- +goose Up
CREATE TABLE category (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    parent_id TEXT REFERENCES category (id)
);

-- A product is known by id outside, and by its number inside: what hangs on it, and the search index, go by the number.
CREATE TABLE product (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
    category_id TEXT NOT NULL REFERENCES category (id),
    price_min BIGINT NOT NULL CHECK (price_min > 0),
    price_max BIGINT NOT NULL CHECK (price_max >= price_min),
    currency TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    name_words BIGINT NOT NULL,
    description TEXT NOT NULL,
    -- The words of the product, as the package words makes them; A is the name, B are SKUs, C keywords, D the description.
    search TSVECTOR NOT NULL DEFAULT ''
);
-- What shoppers browse, then what staff do.
CREATE INDEX product_newest ON product (status, created_us, id);
CREATE INDEX product_price ON product (status, price_min, id);
CREATE INDEX product_name ON product (status, name_key, id);
CREATE INDEX product_newest_all ON product (created_us, id);
CREATE INDEX product_price_all ON product (price_min, id);
CREATE INDEX product_name_all ON product (name_key, id);
-- What is counted for facets is read off these alone.
CREATE INDEX product_facet ON product (status, category_id, currency, price_min);
CREATE INDEX product_category ON product (category_id, currency, price_min);
CREATE INDEX product_search ON product USING GIN (search);

-- All slugs that a product has or had: an old link still finds it.
CREATE TABLE product_slug (
    slug TEXT PRIMARY KEY,
    product_n BIGINT NOT NULL REFERENCES product (n)
);

CREATE TABLE variant (
    id TEXT PRIMARY KEY,
    sku TEXT NOT NULL UNIQUE,
    product_n BIGINT NOT NULL REFERENCES product (n),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    currency TEXT NOT NULL,
    weight_grams BIGINT
);
CREATE INDEX variant_product ON variant (product_n, position);

-- The options of variants once more, as rows, for filters and facets.
CREATE TABLE variant_option (
    product_n BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    variant_id TEXT NOT NULL REFERENCES variant (id),
    PRIMARY KEY (product_n, name, value, variant_id)
);
CREATE INDEX variant_option_value ON variant_option (name, value, product_n, variant_id);

-- +goose Down
DROP TABLE variant_option;
DROP TABLE variant;
DROP TABLE product_slug;
DROP TABLE product;
DROP TABLE category;
