-- +goose Up
-- The audit log is added to; what is older than 90 days may be forgotten.
-- +goose StatementBegin
CREATE TRIGGER security_event_stays BEFORE UPDATE ON security_event
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER security_event_kept BEFORE DELETE ON security_event
WHEN OLD.at_us > (CAST(strftime('%s', 'now') AS INTEGER) - 90 * 86400) * 1000000
BEGIN SELECT RAISE(ABORT, 'the audit log is kept for 90 days at least'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER security_event_kept;
DROP TRIGGER security_event_stays;
