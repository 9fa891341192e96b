package persisted_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
	"github.com/agora-supergraph/agora/router/serve"
)

// run runs the engine until the test ends.
func (d *door) run() {
	ctx, stop := context.WithCancel(d.Context())
	done := make(chan struct{})
	go func() {
		d.engine.Run(ctx)
		close(done)
	}()
	d.Cleanup(func() {
		stop()
		<-done
	})
}

func (d *door) eventually(what string, holds func() bool) {
	d.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("not within 20 s: %s\n%s", what, d.logged())
		}
	}
}

func TestAManifestIsReplacedUnderLoadWithoutARefusedRequest(t *testing.T) {
	stays := manifest.Document{ID: "stays", Text: names}
	file := written(t, stays, manifest.Document{ID: "goes", Text: names})
	d := open(t, persisted.Config{Mode: persisted.RequireID, Manifests: []persisted.Manifest{{Source: file, Interval: time.Millisecond}}})
	d.run()
	var load sync.WaitGroup
	var stop atomic.Bool
	var asked atomic.Int64
	for range 4 {
		load.Go(func() {
			for !stop.Load() {
				asked.Add(1)
				if got := d.post("", `{"documentId":"stays"}`); got != kettles {
					t.Errorf("under load: %s", got)
					return
				}
			}
		})
	}
	replace := func(documents ...manifest.Document) {
		err := file.Update(t.Context(), func([]manifest.Document) ([]manifest.Document, error) { return documents, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		before := asked.Load()
		replace(stays, manifest.Document{ID: "comes", Text: names})
		d.eventually("the new document", func() bool { return d.post("", `{"documentId":"comes"}`) == kettles })
		d.wants("the old one", "400 PERSISTED_DOCUMENT_NOT_FOUND", d.post("", `{"documentId":"goes"}`))
		replace(stays, manifest.Document{ID: "goes", Text: names})
		d.eventually("the old document again", func() bool { return d.post("", `{"documentId":"goes"}`) == kettles })
		d.eventually("requests in the meantime", func() bool { return asked.Load() > before })
	}
	stop.Store(true)
	load.Wait()
}

func TestTheLastGoodManifestGoesOnAndTheErrorIsLoggedOnce(t *testing.T) {
	file := written(t, manifest.Document{ID: "known", Text: names})
	d := open(t, persisted.Config{Manifests: []persisted.Manifest{{Source: file, Interval: time.Millisecond}}})
	d.run()
	if err := os.WriteFile(file.Path, []byte(`{"format":"apollo-persisted-`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.eventually("the error is logged", func() bool { return strings.Contains(d.logged(), "persisted documents not read") })
	d.wants("the document", kettles, d.post("", `{"documentId":"known"}`))
	time.Sleep(20 * time.Millisecond)
	if n := strings.Count(d.logged(), "persisted documents not read"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, d.logged())
	}
}

func TestAManifestBehindAURLIsAskedForByItsETag(t *testing.T) {
	var broken, unchanged, tag atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		etag := `"` + string(rune('a'+tag.Load())) + `"`
		switch {
		case broken.Load() > 0:
			broken.Add(1)
			http.Error(w, "away", http.StatusBadGateway)
		case r.Header.Get("Authorization") != "Bearer s3cret":
			http.Error(w, "who are you", http.StatusUnauthorized)
		case r.Header.Get("If-None-Match") == etag:
			unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", etag)
			_, _ = w.Write(manifest.Format([]manifest.Document{{ID: etag, Text: names}}))
		}
	}))
	defer server.Close()
	source := store.HTTP{URL: server.URL + "/m.json?signature=s3cret", Header: http.Header{"Authorization": {"Bearer s3cret"}}}
	d := open(t, persisted.Config{Manifests: []persisted.Manifest{{Source: source, Interval: time.Millisecond}}})
	d.run()
	d.wants("the first one", kettles, d.post("", `{"documentId":"\"a\""}`))
	d.eventually("304", func() bool { return unchanged.Load() > 2 })
	broken.Store(1)
	d.eventually("502", func() bool { return broken.Load() > 3 })
	d.wants("while it is away", kettles, d.post("", `{"documentId":"\"a\""}`))
	tag.Store(1)
	broken.Store(0)
	d.eventually("the second one", func() bool { return d.post("", `{"documentId":"\"b\""}`) == kettles })
	d.wants("the first one", "400 PERSISTED_DOCUMENT_NOT_FOUND", d.post("", `{"documentId":"\"a\""}`))
	if strings.Contains(d.logged(), "s3cret") {
		t.Errorf("a secret in the log:\n%s", d.logged())
	}
}

// away is a source that can't be reached at first.
type away struct {
	store.Source
	there atomic.Bool
}

func (a *away) Load(ctx context.Context, since string) ([]manifest.Document, string, error) {
	if !a.there.Load() {
		return nil, "", errors.New("connection refused")
	}
	return a.Source.Load(ctx, since)
}

func TestUntilAllManifestsWereReadNothingIsCalledUnknown(t *testing.T) {
	source := &away{Source: written(t, manifest.Document{ID: "known", Text: names})}
	cfg := persisted.Config{Mode: persisted.Safelist, Manifests: []persisted.Manifest{{Source: written(t)}}}
	d := open(t, cfg)
	cfg.Manifests = append(cfg.Manifests, persisted.Manifest{Source: source})
	cfg.Next = newRouter(t)
	engine, err := persisted.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Load(t.Context()); err == nil || engine.Ready() == nil {
		t.Fatalf("Load = %v, Ready = %v", err, engine.Ready())
	}
	d.serve(engine)
	d.wants("an id", "503 PERSISTED_DOCUMENT_RESOLUTION_FAILED", d.post("", `{"documentId":"known"}`))
	d.wants("a text", "503 PERSISTED_DOCUMENT_RESOLUTION_FAILED", d.post("", text(names)))
	source.there.Store(true)
	if err := engine.Load(t.Context()); err != nil || engine.Ready() != nil {
		t.Fatalf("Load = %v, Ready = %v", err, engine.Ready())
	}
	d.wants("an id", kettles, d.post("", `{"documentId":"known"}`))
	d.wants("a text", kettles, d.post("", text(names)))
}

func TestARetiredDocumentIsKnownUntilItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Hour)
		engine, err := persisted.New(persisted.Config{
			Next: echo{}, Mode: persisted.Safelist,
			Manifests: []persisted.Manifest{{Source: fixed{{ID: "d", Text: names, RetireAt: end}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []serve.Outcome{serve.Executed, serve.RequestError} {
			byID := engine.Execute(t.Context(), &serve.Request{DocumentID: "d"})
			byText := engine.Execute(t.Context(), &serve.Request{Query: names})
			documents := slices.Collect(engine.Documents())
			if byID.Outcome != want || (byText.Outcome == serve.Executed) != (want == serve.Executed) || (len(documents) == 1) != (want == serve.Executed) {
				t.Errorf("by id %s, by text %s, %d documents", byID.Body, byText.Body, len(documents))
			}
			time.Sleep(time.Hour)
		}
	})
}

// echo answers with the text.
type echo struct{ serve.Engine }

func (echo) Execute(_ context.Context, req *serve.Request) *serve.Response {
	return &serve.Response{Body: []byte(req.Query)}
}

// fixed is a source that never changes.
type fixed []manifest.Document

func (f fixed) Load(context.Context, string) ([]manifest.Document, string, error) { return f, "1", nil }
func (fixed) String() string                                                      { return "fixed" }

func TestEachTextIsWarmedOnceWhenItIsNewAndAllOfThemOnDemand(t *testing.T) {
	var warmed []string
	file := written(t, manifest.Document{ID: "a", Text: names}, manifest.Document{ID: "b", Text: names}, manifest.Document{ID: "broken", Name: "Broken", Text: "{"})
	d := open(t, persisted.Config{
		Manifests: []persisted.Manifest{{Source: file, Client: "acme"}},
		Warm: func(_ context.Context, query string) error {
			warmed = append(warmed, query)
			if query == "{" {
				return errors.New("syntax error")
			}
			return nil
		},
	})
	wants := func(what string, want ...string) {
		t.Helper()
		if slices.Sort(warmed); !slices.Equal(warmed, want) {
			t.Errorf("%s: warmed %q, want %q", what, warmed, want)
		}
		warmed = nil
	}
	wants("at the start", "{", names)
	d.has("the log", d.logged(), "persisted document can't be executed", "client=acme", "operation=Broken", "document=broken")
	err := file.Update(t.Context(), func(have []manifest.Document) ([]manifest.Document, error) {
		return append(have, manifest.Document{ID: "c", Text: renaming}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.engine.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants("after a change", renaming)
	d.engine.Warm(t.Context())
	wants("on demand", renaming, "{", names)
}
