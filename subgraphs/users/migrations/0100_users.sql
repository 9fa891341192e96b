-- +goose Up
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    -- The address without regard to case and form: an address is taken once.
    email_key TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    -- A PHC string: https://github.com/P-H-C/phc-string-format
    password TEXT NOT NULL,
    -- Names of roles, sorted, with a space between two.
    roles TEXT NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE address (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    line1 TEXT NOT NULL,
    line2 TEXT,
    city TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country_code TEXT NOT NULL CHECK (length(country_code) = 2),
    is_default BOOLEAN NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX address_account ON address (account_id, id);
CREATE UNIQUE INDEX address_default ON address (account_id) WHERE is_default;

-- A session is a family of refresh tokens, of which one is current.
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    user_agent TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    last_seen_us BIGINT NOT NULL,
    -- When the current token expires.
    expires_us BIGINT NOT NULL,
    -- The hash of the current token.
    token TEXT NOT NULL,
    revoked_us BIGINT,
    revoked_for TEXT
);
CREATE INDEX session_account ON session (account_id, id);
CREATE INDEX session_expiry ON session (expires_us);

-- Every token that was given out, until it expires, so that a second use is noticed.
CREATE TABLE refresh_token (
    -- SHA-256 of the token, in hexadecimal digits: the token itself is not stored.
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    spent_us BIGINT,
    -- With the token it makes the successor; kept as long as the successor is the current one.
    salt TEXT
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_us);

CREATE TABLE signing_key (
    id TEXT PRIMARY KEY,
    -- The public JWK, and the private seed encrypted under the services' secret.
    public TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    -- The key signs from here until the next one does.
    signs_us BIGINT NOT NULL
);
-- Its one row is locked by whoever adds keys, so that two replicas don't both.
CREATE TABLE signing_key_lock (id INTEGER PRIMARY KEY);
INSERT INTO signing_key_lock (id) VALUES (1);

CREATE TABLE throttle (
    key TEXT PRIMARY KEY,
    attempts BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    blocked_us BIGINT NOT NULL
);
CREATE INDEX throttle_last ON throttle (last_us);

-- +goose Down
DROP TABLE throttle;
DROP TABLE signing_key_lock;
DROP TABLE signing_key;
DROP TABLE refresh_token;
DROP TABLE session;
DROP TABLE address;
DROP TABLE account;
