package subgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/internal/identity"
)

// Client asks another subgraph, as the service that it is made for: the only way in which subgraphs meet,
// besides events. It is safe for concurrent use.
type Client struct {
	// Service is the asking service's name.
	Service string
	// Scopes are what it needs at the other one.
	Scopes []string
	// Secret signs its tokens; the same in all services.
	Secret []byte
	// Server is the other subgraph when it runs in this process; else URL is asked.
	Server *Server
	// URL is the other subgraph's endpoint.
	URL string
	// HTTP is used for URL. Nil means http.DefaultClient.
	HTTP *http.Client

	signed atomic.Pointer[signed]
}

// signed is a token, and until when it is used.
type signed struct {
	token string
	until time.Time
}

// ResponseErrors are the errors of a GraphQL response.
type ResponseErrors []ResponseError

// ResponseError is one error of a GraphQL response.
type ResponseError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Error joins the messages.
func (e ResponseErrors) Error() string {
	messages := make([]string, len(e))
	for i := range e {
		messages[i] = e[i].Message
	}
	return strings.Join(messages, "; ")
}

// Do sends an operation and decodes its data into out. It returns ResponseErrors if the response has any error,
// and other errors if there is no response. What a caller of the operation can do something about is in the
// payload's userErrors, which are no error here.
func (c *Client) Do(ctx context.Context, query string, variables map[string]any, out any) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	vars, err := json.Marshal(variables)
	if err != nil {
		return fmt.Errorf("encode variables: %w", err)
	}
	body, err := c.ask(ctx, &Request{Query: query, Variables: vars, Header: header})
	if err != nil {
		return err
	}
	var response struct {
		Data   json.RawMessage `json:"data"`
		Errors ResponseErrors  `json:"errors"`
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	if len(response.Errors) > 0 {
		return response.Errors
	}
	return json.Unmarshal(response.Data, out)
}

// token is that of the service, which serves many requests: to sign one takes longer than most of them.
func (c *Client) token() (string, error) {
	now := time.Now()
	if last := c.signed.Load(); last != nil && now.Before(last.until) {
		return last.token, nil
	}
	token, err := identity.ServiceToken(c.Secret, c.Service, c.Scopes...)
	if err != nil {
		return "", err
	}
	c.signed.Store(&signed{token, now.Add(identity.ServiceTokenLife / 2)})
	return token, nil
}

func (c *Client) send(ctx context.Context, req *Request) ([]byte, error) {
	if c.Server != nil {
		return c.Server.Serve(ctx, req), ctx.Err()
	}
	body, err := json.Marshal(map[string]any{"query": req.Query, "variables": json.RawMessage(req.Variables)})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = req.Header
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", c.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", c.URL, response.Status)
	}
	return answer, nil
}
