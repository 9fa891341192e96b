-- +goose Up
-- Where the bus keeps what was published: a position of its log. Empty where the bus keeps nothing.
ALTER TABLE outbox ADD COLUMN log TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outbox_position ON outbox (log, position) WHERE position > 0;

-- Events that a consumer has and can't apply yet: EARLY ones wait for their predecessor, FAILED ones for their next
-- attempt, REVIVED ones are dead letters that somebody wants to be tried again.
CREATE TABLE parked (
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('EARLY', 'FAILED', 'REVIVED')),
    attempts BIGINT NOT NULL,
    reason TEXT NOT NULL,
    due_us BIGINT NOT NULL,
    PRIMARY KEY (consumer, source, subject, sequence)
);
CREATE INDEX parked_due ON parked (consumer, due_us);
CREATE INDEX inbox_received ON inbox (received_us);

-- +goose Down
DROP INDEX inbox_received;
DROP TABLE parked;
DROP INDEX outbox_position;
ALTER TABLE outbox DROP COLUMN position;
ALTER TABLE outbox DROP COLUMN log;
