-- +goose Up
-- How many products of a status and category have a value of a facet: the band of the lowest price (of which each
-- product has one), and each value of an option. What nothing else narrows is counted here and not by reading products.
CREATE TABLE facet_count (
    status TEXT NOT NULL,
    category_id TEXT NOT NULL,
    facet TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (status, category_id, facet, name, value)
);
INSERT INTO facet_count (status, category_id, facet, name, value, n)
SELECT p.status, p.category_id, 'price', p.currency,
    CASE WHEN p.price_min >= 100000 THEN '7' WHEN p.price_min >= 50000 THEN '6' WHEN p.price_min >= 25000 THEN '5'
        WHEN p.price_min >= 10000 THEN '4' WHEN p.price_min >= 5000 THEN '3' WHEN p.price_min >= 2500 THEN '2'
        WHEN p.price_min >= 1000 THEN '1' ELSE '0' END, COUNT(*)
FROM product p GROUP BY 1, 2, 4, 5;
INSERT INTO facet_count (status, category_id, facet, name, value, n)
SELECT p.status, p.category_id, 'option', o.name, o.value, COUNT(*)
FROM (SELECT DISTINCT product_n, name, value FROM variant_option) o JOIN product p ON p.n = o.product_n
GROUP BY 1, 2, 4, 5;

-- Grows with every change of a product, in its transaction: what was found at one generation holds until the next.
CREATE TABLE catalogue_generation (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL
);
INSERT INTO catalogue_generation (one, last) VALUES (1, 1);

-- +goose Down
DROP TABLE catalogue_generation;
DROP TABLE facet_count;
