-- +goose Up
-- The balances. The checks are the last wall: no bug above them can sell what isn't there.
CREATE TABLE stock (
    variant_id TEXT PRIMARY KEY,
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    sold BIGINT NOT NULL CHECK (sold >= 0),
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    CHECK (reserved <= on_hand)
);

CREATE TABLE reservation (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED', 'RESTOCKED')),
    expires_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE INDEX reservation_held ON reservation (expires_us) WHERE state = 'HELD';

CREATE TABLE reservation_line (
    reservation_id TEXT NOT NULL REFERENCES reservation (id),
    variant_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, variant_id)
);
CREATE INDEX reservation_line_variant ON reservation_line (variant_id);

-- The ledger: every change of a balance, never changed itself. It sums to the balances.
CREATE TABLE movement (
    id TEXT PRIMARY KEY,
    variant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    reference TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_us BIGINT NOT NULL
);
CREATE INDEX movement_variant ON movement (variant_id, id);

-- +goose Down
DROP TABLE movement;
DROP TABLE reservation_line;
DROP TABLE reservation;
DROP TABLE stock;
