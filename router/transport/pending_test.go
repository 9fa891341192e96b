package transport

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// kept returns a transport that keeps a connection to a server, which answers {} to all but /wait once it has ended.
func kept(t *testing.T, cfg HTTPConfig) *HTTP {
	t.Helper()
	stop := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "wait" {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}
		_, _ = io.WriteString(w, "{}")
	})
	t.Cleanup(func() { close(stop) })
	cfg.URL = server.URL
	h := dial(t, cfg)
	if h.Start(t.Context(), query("{}")) != nil {
		t.Fatal("started without a connection")
	}
	if _, err := h.Send(t.Context(), query("{}")); err != nil {
		t.Fatal(err)
	}
	return h
}

func started(t *testing.T, ctx context.Context, h *HTTP, body string) Pending {
	t.Helper()
	pending := h.Start(ctx, query(body))
	if pending == nil {
		t.Fatal("not started on the connection that is kept")
	}
	return pending
}

func TestAnswersThatCameWhileNobodyReceivedAreNotLate(t *testing.T) {
	const limit = 100 * time.Millisecond
	for name, cfg := range map[string]HTTPConfig{"the transport's time": {Timeout: limit}, "the caller's time": {Timeout: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			h := kept(t, cfg)
			if cfg.Timeout != limit {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			pending := started(t, ctx, h, "{}")
			time.Sleep(2 * limit)
			if resp, err := pending.Receive(ctx); err != nil || string(resp.Body) != "{}" {
				t.Errorf("answer %+v, %v", resp, err)
			}
		})
	}
}

func TestTimeoutsAndCancellationEndAPendingCall(t *testing.T) {
	h := kept(t, HTTPConfig{Timeout: 50 * time.Millisecond})
	if _, err := started(t, t.Context(), h, "wait").Receive(t.Context()); code(err) != CodeTimeout {
		t.Errorf("timeout: %v", err)
	}
	for name, wait := range map[string]time.Duration{"while nobody received": 0, "while it was received": 50 * time.Millisecond} {
		h := kept(t, HTTPConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		pending := started(t, ctx, h, "wait")
		if wait == 0 {
			cancel()
		} else {
			time.AfterFunc(wait, cancel)
		}
		if _, err := pending.Receive(ctx); code(err) != CodeCanceled {
			t.Errorf("canceled %s: %v", name, err)
		}
	}
}

func TestOnlySmallQueriesAreSentAhead(t *testing.T) {
	h := kept(t, HTTPConfig{})
	mutation := query("{}")
	mutation.Mutation = true
	for name, req := range map[string]*Request{"a mutation": mutation, "a large body": query(strings.Repeat(" ", smallBody+1))} {
		if h.Start(t.Context(), req) != nil {
			t.Errorf("%s is sent ahead", name)
		}
	}
}
