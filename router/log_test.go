package router_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

func TestWhatClientsAreNotToldOfASubgraphIsInTheLog(t *testing.T) {
	gone := &transport.Error{Code: transport.CodeHTTP, Message: "could not be reached", Err: errors.New("connect: connection refused")}
	for name, c := range map[string]struct {
		answer transport.Response
		err    error
		redact bool
		secret string
		want   []map[string]any
	}{
		"it can't be reached": {
			err: gone, secret: "connection refused",
			want: []map[string]any{{"msg": "subgraph failed", "code": "SUBREQUEST_HTTP_ERROR", "reason": "could not be reached", "error": gone.Error()}},
		},
		"it answers a page": {
			answer: transport.Response{Status: 502, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html>Bad Gateway of host-7</html>")}, secret: "host-7",
			want: []map[string]any{{"msg": "subgraph failed", "code": "SUBREQUEST_HTTP_ERROR", "reason": "answered HTTP status 502 Bad Gateway", "status": 502.0, "type": "text/html", "bytes": 34.0}},
		},
		"its errors are redacted": {
			answer: transport.Response{Status: 200, Body: []byte(`{"errors":[{"message":"table stars is gone","path":["_entities",0],"extensions":{"sql":"SELECT"}}],"data":{"_entities":[null]}}`)},
			redact: true, secret: "table stars",
			want: []map[string]any{{"msg": "error of a subgraph", "code": "DOWNSTREAM_SERVICE_ERROR", "error": `"table stars is gone"`, "path": `["_entities",0]`, "extensions": `{"sql":"SELECT"}`}},
		},
		"its errors are shown": {
			answer: transport.Response{Status: 200, Body: []byte(`{"errors":[{"message":"no stars yet","path":["_entities",0]}],"data":{"_entities":[null]}}`)},
			secret: "never",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			reviews := sender(func() (*transport.Response, error) {
				if c.err != nil {
					return nil, c.err
				}
				return &c.answer, nil
			})
			r := newRouter(t, router.Config{
				Transports: map[string]transport.Transport{"users": subgraphs()["users"], "reviews": reviews},
				Execute:    execute.Config{SubgraphErrors: execute.ErrorPolicy{Redact: c.redact}},
				Serve:      serve.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))},
			})
			if _, body := ask(t, r, question); strings.Contains(body, c.secret) || !strings.Contains(body, `"stars":null`) {
				t.Errorf("the client is told %s", body)
			}
			var got []map[string]any
			ids := map[any]bool{}
			for line := range strings.Lines(log.String()) {
				var read map[string]any
				if err := json.Unmarshal([]byte(line), &read); err != nil {
					t.Fatal(err)
				}
				ids[read["id"]] = true
				if read["level"] != "WARN" {
					continue
				}
				if read["subgraph"] != "reviews" || read["fetch"] != 1.0 {
					t.Errorf("%s: which subgraph, and which fetch?", line)
				}
				for _, key := range []string{"time", "level", "id", "subgraph", "fetch"} {
					delete(read, key)
				}
				got = append(got, read)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if len(ids) != 1 || ids[""] {
				t.Errorf("the request has the ids %v, want one in all lines", ids)
			}
		})
	}
}

// sender is a subgraph that answers any request alike.
type sender func() (*transport.Response, error)

func (s sender) Send(context.Context, *transport.Request) (*transport.Response, error) { return s() }

func (s sender) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, errors.New("no streams")
}
