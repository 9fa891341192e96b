package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// Client is a payments.Provider that reaches a Sandbox over HTTP. An answer that doesn't come, or that nobody
// understands, is an error: the outcome is unknown. It is safe for concurrent use.
type Client struct {
	// URL is where the sandbox's Handler is.
	URL string
	// APIKey is what the sandbox's Config.APIKey says.
	APIKey string
	// WebhookSecrets are those by which it signs; two while one is being replaced.
	WebhookSecrets []string
	// HTTP is used for requests. Nil means a client that waits 10 s at most.
	HTTP *http.Client
}

// patient is the client that is used if there is none: it keeps as many connections as payments may be under way.
var patient = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
}

// Authorize holds an amount.
func (c *Client) Authorize(ctx context.Context, a payments.Authorization) (payments.Result, error) {
	return c.post(ctx, a.Key, "/v1/charges", command{Token: a.Token, Order: a.Order, Amount: a.Amount})
}

// Confirm ends a 3-D Secure challenge.
func (c *Client) Confirm(ctx context.Context, cmd payments.Command, result string) (payments.Result, error) {
	return c.post(ctx, cmd.Key, chargePath(cmd, "confirm"), command{Amount: cmd.Amount, Result: result})
}

// Capture takes what is held, or a part of it.
func (c *Client) Capture(ctx context.Context, cmd payments.Command) (payments.Result, error) {
	return c.post(ctx, cmd.Key, chargePath(cmd, "capture"), command{Amount: cmd.Amount})
}

// Void lets go of what is held.
func (c *Client) Void(ctx context.Context, cmd payments.Command) (payments.Result, error) {
	return c.post(ctx, cmd.Key, chargePath(cmd, "void"), command{Amount: cmd.Amount})
}

// Refund gives back what was taken.
func (c *Client) Refund(ctx context.Context, cmd payments.Command) (payments.Result, error) {
	return c.post(ctx, cmd.Key, chargePath(cmd, "refund"), command{Amount: cmd.Amount})
}

// Retrieve says what became of the request with a key.
func (c *Client) Retrieve(ctx context.Context, key string) (payments.Result, error) {
	var r payments.Result
	err := c.send(ctx, http.MethodGet, "/v1/requests/"+url.PathEscape(key), "", nil, &r)
	return r, err
}

// Look says how a charge stands.
func (c *Client) Look(ctx context.Context, reference string) (payments.State, error) {
	var st payments.State
	err := c.send(ctx, http.MethodGet, "/v1/charges/"+url.PathEscape(reference), "", nil, &st)
	return st, err
}

// Method describes a token.
func (c *Client) Method(ctx context.Context, token string) (payments.Method, error) {
	var m payments.Method
	err := c.send(ctx, http.MethodGet, "/v1/methods/"+url.PathEscape(token), "", nil, &m)
	return m, err
}

// Book is the sandbox's book: see Sandbox.Book.
func (c *Client) Book(ctx context.Context) ([]payments.Balance, error) {
	var rows []payments.Balance
	err := c.send(ctx, http.MethodGet, "/v1/book", "", nil, &rows)
	return rows, err
}

// Notification reads a webhook that the sandbox sent.
func (c *Client) Notification(header http.Header, body []byte, now time.Time) (payments.Notification, error) {
	return readNotification(header, body, now, c.WebhookSecrets...)
}

func chargePath(cmd payments.Command, verb string) string {
	return "/v1/charges/" + url.PathEscape(cmd.Reference) + "/" + verb
}

func (c *Client) post(ctx context.Context, key, path string, body command) (payments.Result, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return payments.Result{}, fmt.Errorf("sandbox: %w", err)
	}
	var r payments.Result
	if err := c.send(ctx, http.MethodPost, path, key, raw, &r); err != nil {
		return payments.Result{}, err
	}
	return r, nil
}

// send makes a request and reads its answer, or the error that the answer is.
func (c *Client) send(ctx context.Context, method, path, key string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if key != "" {
		r.Header.Set(keyHeader, key)
	}
	r.Header.Set("Authorization", "Bearer "+c.APIKey)
	r.Header.Set("Content-Type", "application/json")
	client := c.HTTP
	if client == nil {
		client = patient
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("sandbox: read answer: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(raw, out); err != nil {
			return fmt.Errorf("sandbox: decode answer: %w", err)
		}
		return nil
	}
	var f failure
	if err := json.Unmarshal(raw, &f); err == nil {
		for _, known := range failures {
			if f.Code == known.code {
				return known.err
			}
		}
	}
	return errors.New("sandbox: the server answered " + response.Status)
}
