-- +goose Up
-- What is due is looked for endpoint by endpoint.
DROP INDEX webhook_delivery_due;
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_us, id) WHERE state = 'PENDING';

-- +goose Down
DROP INDEX webhook_delivery_due;
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_us) WHERE state = 'PENDING';
