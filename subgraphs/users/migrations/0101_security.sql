-- +goose Up
-- When mail to the address was known to reach the user, and when the account is to be erased.
ALTER TABLE account ADD COLUMN verified_us BIGINT;
ALTER TABLE account ADD COLUMN erase_us BIGINT;
CREATE INDEX account_erase ON account (erase_us) WHERE erase_us IS NOT NULL;

ALTER TABLE session ADD COLUMN client_address TEXT NOT NULL DEFAULT '';

-- Mail that is to be sent, written in the transaction of what it tells of. A row is gone when its mail is.
CREATE TABLE mail (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    -- When it is sent, or sent again; behind whoever is sending it now.
    next_us BIGINT NOT NULL,
    -- From here on it is of no use to its recipient.
    expires_us BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);
CREATE INDEX mail_next ON mail (next_us, id);

-- The tokens of mail that was sent, until they are used.
CREATE TABLE mail_token (
    -- SHA-256 of the token, in hexadecimal digits.
    hash TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires_us BIGINT NOT NULL
);
CREATE INDEX mail_token_account ON mail_token (account_id, purpose);
CREATE INDEX mail_token_expiry ON mail_token (expires_us);

-- The audit log. It outlives the accounts that it speaks of, and so holds nothing personal.
CREATE TABLE security_event (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    -- Null if nobody has the e-mail address.
    account_id TEXT,
    actor TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    detail TEXT
);
CREATE INDEX security_event_account ON security_event (account_id, id);
CREATE INDEX security_event_at ON security_event (at_us);
-- What is personal about an event: erased with the account.
CREATE TABLE security_event_origin (
    event_id TEXT PRIMARY KEY REFERENCES security_event (id) ON DELETE CASCADE,
    client_address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);

-- +goose Down
DROP TABLE security_event_origin;
DROP TABLE security_event;
DROP TABLE mail_token;
DROP TABLE mail;
ALTER TABLE session DROP COLUMN client_address;
DROP INDEX account_erase;
ALTER TABLE account DROP COLUMN erase_us;
ALTER TABLE account DROP COLUMN verified_us;
