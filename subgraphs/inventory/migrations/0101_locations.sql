-- +goose Up
CREATE TABLE location (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Units are taken from the location of the lowest rank first.
    rank BIGINT NOT NULL
);
INSERT INTO location (id, name, rank) VALUES ('loc_8jcxmqqq09e4xbp0j81bskcyt0', 'Main warehouse', 0);

-- From how many available units on a variant is low; one without a row is so from the standard number on.
CREATE TABLE low_stock (
    variant_id TEXT PRIMARY KEY,
    threshold BIGINT NOT NULL CHECK (threshold >= 0)
);

-- The balances, by location. The checks are the last wall: no bug above them can sell what isn't there.
CREATE TABLE stock_at (
    variant_id TEXT NOT NULL,
    location_id TEXT NOT NULL REFERENCES location (id),
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    sold BIGINT NOT NULL CHECK (sold >= 0),
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (variant_id, location_id),
    CHECK (reserved <= on_hand)
);
INSERT INTO stock_at (variant_id, location_id, on_hand, reserved, sold, version, updated_us)
    SELECT variant_id, 'loc_8jcxmqqq09e4xbp0j81bskcyt0', on_hand, reserved, sold, version, updated_us FROM stock;
DROP TABLE stock;
ALTER TABLE stock_at RENAME TO stock;

-- A line may take its units from several locations. What is restocked of it has been put back.
CREATE TABLE reservation_part (
    reservation_id TEXT NOT NULL REFERENCES reservation (id),
    variant_id TEXT NOT NULL,
    location_id TEXT NOT NULL REFERENCES location (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    restocked BIGINT NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    PRIMARY KEY (reservation_id, variant_id, location_id),
    CHECK (restocked <= quantity)
);
INSERT INTO reservation_part (reservation_id, variant_id, location_id, quantity, restocked)
    SELECT l.reservation_id, l.variant_id, 'loc_8jcxmqqq09e4xbp0j81bskcyt0', l.quantity, CASE WHEN r.state = 'RESTOCKED' THEN l.quantity ELSE 0 END
    FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id;
DROP TABLE reservation_line;
CREATE INDEX reservation_part_variant ON reservation_part (variant_id);

ALTER TABLE movement ADD COLUMN location_id TEXT NOT NULL DEFAULT 'loc_8jcxmqqq09e4xbp0j81bskcyt0';

-- +goose Down
ALTER TABLE movement DROP COLUMN location_id;
CREATE TABLE reservation_line (
    reservation_id TEXT NOT NULL REFERENCES reservation (id),
    variant_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, variant_id)
);
INSERT INTO reservation_line (reservation_id, variant_id, quantity)
    SELECT reservation_id, variant_id, CAST(SUM(quantity) AS BIGINT) FROM reservation_part GROUP BY reservation_id, variant_id;
CREATE INDEX reservation_line_variant ON reservation_line (variant_id);
DROP TABLE reservation_part;
CREATE TABLE stock_of (
    variant_id TEXT PRIMARY KEY,
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    sold BIGINT NOT NULL CHECK (sold >= 0),
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    CHECK (reserved <= on_hand)
);
INSERT INTO stock_of (variant_id, on_hand, reserved, sold, version, updated_us)
    SELECT variant_id, CAST(SUM(on_hand) AS BIGINT), CAST(SUM(reserved) AS BIGINT), CAST(SUM(sold) AS BIGINT), CAST(SUM(version) AS BIGINT), MAX(updated_us) FROM stock GROUP BY variant_id;
DROP TABLE stock;
ALTER TABLE stock_of RENAME TO stock;
DROP TABLE low_stock;
DROP TABLE location;
