package transport

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dialHandler reaches the server through a handler in this process that somebody could really have: a proxy.
func dialHandler(t *testing.T, cfg HTTPConfig) Transport {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host
			if cfg.Gzip {
				r.Out.Header.Set("Accept-Encoding", "gzip")
			}
		},
		Transport: &http.Transport{DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	t.Cleanup(proxy.Transport.(*http.Transport).CloseIdleConnections)
	return &Handler{
		Handler: proxy, URL: cfg.URL, Timeout: max(cfg.Timeout, 0), MaxResponseBytes: cfg.MaxResponseBytes,
		Header: cfg.Header, Subscriptions: cfg.Subscriptions,
	}
}

// TestAHandlerConformsAsFarAsItHasNoConnections is the part of TestHTTPConformance that concerns no connections.
func TestAHandlerConformsAsFarAsItHasNoConnections(t *testing.T) {
	for name, test := range map[string]func(*testing.T, dialer){
		"a request arrives with its body and headers": testARequestArrivesWithItsBodyAndHeaders,
		"answers of every form":                       testAnswersOfEveryForm,
		"redirects are not followed":                  testRedirectsAreNotFollowed,
		"timeouts and cancellation end the call":      testTimeoutsAndCancellationEndTheCall,
	} {
		t.Run(name, func(t *testing.T) { test(t, dialHandler) })
	}
}

func TestAHandlerThatBreaksDownFailsItsRequestAlone(t *testing.T) {
	var late http.ResponseWriter
	mux := http.NewServeMux()
	mux.HandleFunc("POST /panic", func(http.ResponseWriter, *http.Request) { panic("oops") })
	mux.HandleFunc("POST /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("POST /late", func(w http.ResponseWriter, _ *http.Request) { late = w })
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, `{"data":{}}`)
		w.WriteHeader(http.StatusInternalServerError)
	})
	for _, c := range []struct{ url, want string }{
		{"http://shop/panic", CodeHTTP},
		{"http://shop/abort", CodeMalformed},
		{"http://shop/nowhere", "404 404 page not found\n"},
		{"http://shop/late", "200 "},
		{"", `200 {"data":{}}`},
	} {
		resp, err := (&Handler{Handler: mux, URL: c.url}).Send(t.Context(), query("{}"))
		got := code(err)
		if err == nil {
			got = fmt.Sprint(resp.Status, " ", string(resp.Body))
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q (%v)", c.url, got, c.want, err)
		}
	}
	if _, err := late.Write([]byte("too late")); err == nil {
		t.Error("a write after the answer was taken has no error")
	}
	if _, err := (&Handler{Handler: mux, URL: "https://shop/panic"}).Subscribe(t.Context(), query("{}")); code(err) != CodeHTTP {
		t.Errorf("Subscribe: %v", err)
	}
}

func TestSubscriptionsOfAHandler(t *testing.T) {
	event := func(w http.ResponseWriter, s string) {
		fmt.Fprint(w, s)
		w.(http.Flusher).Flush()
	}
	for name, c := range map[string]struct {
		cfg    SubscriptionConfig
		kind   string
		handle func(w http.ResponseWriter, r *http.Request)
		want   []string
	}{
		"SSE": {
			kind: "text/event-stream", want: []string{`POST {"data":1}`, "2", "EOF"},
			handle: func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				event(w, ":\n\n")
				event(w, "event: next\ndata: "+r.Method+" "+string(body)+"\n\n")
				event(w, "event: next\ndata: 2\n\nevent: complete\n\n")
			},
		},
		"multipart": {
			cfg: SubscriptionConfig{Protocol: Multipart}, kind: "multipart/mixed;boundary=-", want: []string{`{"data":1}`, "EOF"},
			handle: func(w http.ResponseWriter, _ *http.Request) {
				event(w, "\r\n---\r\n\r\n{\"payload\":{\"data\":1}}\r\n-----\r\n")
			},
		},
		"plain JSON": {
			kind: "application/json", want: []string{`{"errors":[]}`, "EOF"},
			handle: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); event(w, `{"errors":[]}`) },
		},
		"broken off": {
			kind: "text/event-stream", want: []string{"1", CodeHTTP},
			handle: func(w http.ResponseWriter, _ *http.Request) { event(w, "data: 1\n\n") },
		},
		"panic between events": {
			kind: "text/event-stream", want: []string{"1", CodeHTTP},
			handle: func(w http.ResponseWriter, _ *http.Request) { event(w, "data: 1\n\n"); panic("oops") },
		},
		"too large": {
			cfg: SubscriptionConfig{MaxEventBytes: 100}, kind: "text/event-stream", want: []string{CodeTooLarge},
			handle: func(w http.ResponseWriter, _ *http.Request) { event(w, "data: "+strings.Repeat("x", 1<<17)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &Handler{Subscriptions: c.cfg, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				c.handle(w, r)
			})}
			s, err := h.Subscribe(t.Context(), query(`{"data":1}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, events(t, s)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			s.Close()
		})
	}
	if _, err := (&Handler{Subscriptions: SubscriptionConfig{Protocol: WebSocket}}).Subscribe(t.Context(), query("{}")); code(err) != CodeHTTP {
		t.Errorf("WebSocket: %v", err)
	}
}

func TestASubscriptionOfAHandlerEndsWithItsReader(t *testing.T) {
	for name, end := range map[string]func(s Stream, cancel func()){
		"by Close":                 func(s Stream, _ func()) { s.Close() },
		"by the context of a Next": func(s Stream, cancel func()) { cancel(); _, _ = s.Next(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan error, 1)
			h := &Handler{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for {
					if _, err := fmt.Fprint(w, "data: 1\n\n"); err != nil {
						gone <- r.Context().Err()
						return
					}
				}
			})}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, err := h.Subscribe(ctx, query("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if event, err := s.Next(ctx); err != nil || string(event) != "1" {
				t.Errorf("Next = %s, %v", event, err)
			}
			end(s, cancel)
			if err := <-gone; err == nil {
				t.Error("the handler's context goes on")
			}
			s.Close()
		})
	}
	silent := &Handler{
		Handler:       http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		Subscriptions: SubscriptionConfig{StartTimeout: time.Millisecond},
	}
	if _, err := silent.Subscribe(t.Context(), query("{}")); code(err) != CodeTimeout {
		t.Errorf("a handler that does not begin: %v", err)
	}
}
