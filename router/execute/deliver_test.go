package execute_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// scripted answers each fetch of a plan with fixed bytes, a second later than the fetch before it.
type scripted struct {
	plan    *plan.Plan
	answers map[string]string
	// given counts the fetches that were answered.
	given atomic.Int32
}

// Send answers by the text of the request, or not at all.
func (s *scripted) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	for _, f := range s.plan.Fetches {
		if f.Query != req.Query {
			continue
		}
		select {
		case <-time.After(time.Duration(f.ID+1) * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		s.given.Add(1)
		if answer, ok := s.answers[f.Query]; ok {
			return &transport.Response{Status: 200, Body: []byte(answer)}, nil
		}
	}
	return nil, errors.New("connection refused")
}

// Subscribe is never called.
func (s *scripted) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, errors.New("no subscriptions here")
}

// TestAnswersInParts runs the cases of testdata/deferred: subgraphs, a query, lines of a fetch's text and its answer,
// and the parts of the answer in both formats.
func TestAnswersInParts(t *testing.T) {
	files, err := filepath.Glob("testdata/deferred/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := map[string]string{}
			var subgraphs []compose.Subgraph
			for _, f := range archive.Files {
				in[f.Name] = string(f.Data)
				if name, ok := strings.CutSuffix(f.Name, ".subgraph"); ok {
					subgraphs = append(subgraphs, compose.Subgraph{Name: name, SDL: string(f.Data)})
				}
			}
			p := deferredPlan(t, subgraphs, in["query.graphql"])
			for name, format := range map[string]execute.Format{"parts": execute.Pending, "paths": execute.Paths} {
				got := strings.Join(parts(t, p, in["answers"], format), "\n") + "\n"
				if rewrite() {
					set(archive, name, got)
				} else if diff := cmp.Diff(in[name], got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if rewrite() {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// rewrite is the flag that the package's other tests declare.
func rewrite() bool { return flag.Lookup("update").Value.String() == "true" }

func set(archive *txtar.Archive, name, data string) {
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			archive.Files[i].Data = []byte(data)
			return
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(data)})
}

func deferredPlan(t *testing.T, subgraphs []compose.Subgraph, query string) *plan.Plan {
	t.Helper()
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"]) `
	for i := range subgraphs {
		subgraphs[i].SDL = link + subgraphs[i].SDL
	}
	result, problems := compose.Compose(subgraphs, compose.Config{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	sg, err := supergraph.Load(result.SDL)
	if err != nil {
		t.Fatal(err)
	}
	document, errs := operation.Parse(sg, query, operation.Limits{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	selected, err := document.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	op, err := selected.Normalise(selected.Deferring(selected.Variant(nil, nil), nil))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(t.Context(), sg, op, plan.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// parts executes a plan and returns the parts of its answer, each with the second in which it came.
func parts(t *testing.T, p *plan.Plan, answers string, format execute.Format) (out []string) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &scripted{plan: p, answers: map[string]string{}}
		for line := range strings.Lines(answers) {
			query, answer, _ := strings.Cut(strings.TrimSpace(line), " => ")
			s.answers[query] = answer
		}
		var transports []transport.Transport
		for range p.Supergraph.Subgraphs {
			transports = append(transports, s)
		}
		x := execute.New(execute.Config{Transports: transports})
		note := func(r *execute.Response) {
			out = append(out, time.Since(start).String()+" "+string(r.Body))
			r.Release()
		}
		first, rest := x.ExecuteInParts(t.Context(), p, &execute.Request{Format: format})
		note(first)
		for rest != nil {
			next, err := rest.Next()
			if errors.Is(err, io.EOF) {
				rest.Close()
				break
			}
			note(next)
		}
	})
	return out
}

func TestAClientThatGoesEndsWhatIsDeferred(t *testing.T) {
	p := deferredPlan(t, []compose.Subgraph{
		{Name: "a", SDL: `type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String }`},
		{Name: "b", SDL: `type Product @key(fields: "id") { id: ID! price: Int }`},
	}, `{ product { name ... @defer { price } } }`)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &scripted{plan: p, answers: map[string]string{p.Fetches[0].Query: `{"data":{"product":{"id":"1","name":"Pen"}}}`}}
		x := execute.New(execute.Config{Transports: []transport.Transport{s, s}})
		first, rest := x.ExecuteInParts(t.Context(), p, &execute.Request{})
		first.Release()
		rest.Close()
		if took := time.Since(start); took != time.Second || s.given.Load() != 1 {
			t.Errorf("took %v, answered %d", took, s.given.Load())
		}
	})
}
