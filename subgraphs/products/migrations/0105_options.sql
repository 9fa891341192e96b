-- +goose Up
-- A digest of the options of a variant that is for sale: of two variants of a product that are, no two have the same. NULL
-- for one without options, which its name tells apart, and for one that was stored before there was the column: commands
-- compare the options themselves, and this is the wall behind them.
ALTER TABLE variant ADD COLUMN options_key TEXT;
CREATE UNIQUE INDEX variant_options ON variant (product_n, options_key) WHERE options_key IS NOT NULL;

-- +goose Down
DROP INDEX variant_options;
ALTER TABLE variant DROP COLUMN options_key;
