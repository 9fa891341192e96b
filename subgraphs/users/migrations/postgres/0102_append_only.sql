-- +goose Up
-- The audit log is added to; what is older than 90 days may be forgotten.
-- +goose StatementBegin
CREATE FUNCTION security_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at_us <= (extract(epoch FROM now()) - 90 * 86400) * 1000000 THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit log is kept for 90 days at least';
    END IF;
    RAISE EXCEPTION 'the audit log is never changed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER security_event_stays BEFORE UPDATE OR DELETE ON security_event
FOR EACH ROW EXECUTE FUNCTION security_event_stays();

-- +goose Down
DROP TRIGGER security_event_stays ON security_event;
DROP FUNCTION security_event_stays();
