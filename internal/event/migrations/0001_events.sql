-- +goose Up
-- What this service has said: written in the transaction of what it tells of, never changed but for the mark.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    correlation TEXT NOT NULL,
    causation TEXT NOT NULL,
    data TEXT NOT NULL,
    published_us BIGINT,
    UNIQUE (subject, sequence)
);
CREATE INDEX outbox_unpublished ON outbox (sequence, id) WHERE published_us IS NULL;
CREATE TABLE outbox_sequence (
    subject TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- What this service has heard: written in the transaction of the effect.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    received_us BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE TABLE inbox_sequence (
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (consumer, source, subject)
);
CREATE TABLE dead_letter (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

-- +goose Down
DROP TABLE dead_letter;
DROP TABLE inbox_sequence;
DROP TABLE inbox;
DROP TABLE outbox_sequence;
DROP TABLE outbox;
