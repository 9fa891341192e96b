package command

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is what a running command has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestWatchComposesAgainOnEachChangeAndGoesOnAfterErrors(t *testing.T) {
	folder := write(t, map[string]string{
		"supergraph.yaml": "subgraphs:\n  a:\n    schema:\n      file: a.graphql\n",
		"a.graphql":       "type Query { first: Int }",
	})
	change := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr output
	target := filepath.Join(folder, "supergraph.graphql")
	composed := func(field string) func() bool {
		return func() bool {
			text, err := os.ReadFile(target)
			return err == nil && strings.Contains(string(text), field)
		}
	}
	done := make(chan int)
	go func() {
		done <- Watch(ctx, Options{
			Config: filepath.Join(folder, "supergraph.yaml"), Output: target, Poll: time.Millisecond, Stdout: &stdout, Stderr: &stderr,
		})
	}()
	eventually(t, "the first composition", composed("first"))
	change("a.graphql", "type Query { broken: Missing }")
	eventually(t, "the error", func() bool { return strings.Contains(stderr.String(), "Unknown type Missing") })
	if !composed("first")() {
		t.Error("an error has touched the output")
	}
	if err := os.Remove(filepath.Join(folder, "a.graphql")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the missing file", func() bool { return strings.Contains(stderr.String(), "no such file") })
	change("a.graphql", "type Query { second: Int }")
	eventually(t, "the composition of what came back", composed("second"))

	before, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	change("a.graphql", "# a comment\ntype Query { second: Int }")
	change("supergraph.yaml", "subgraphs:\n  a:\n    schema:\n      file: a.graphql\n  b:\n    schema:\n      sdl: 'type Query { third: Int }'\n")
	eventually(t, "the second subgraph", composed("third"))
	after, err := os.Stat(target)
	if err != nil || os.SameFile(before, after) {
		t.Errorf("the output was not replaced: %v", err)
	}
	stop()
	if status := <-done; status != Composed || stdout.String() != "" {
		t.Errorf("Watch = %d with standard output %q, want %d and none", status, stdout.String(), Composed)
	}
}

func TestWatchWritesNothingWhereTheSupergraphStaysTheSame(t *testing.T) {
	folder := write(t, map[string]string{"supergraph.yaml": "subgraphs:\n  a:\n    schema:\n      file: a.graphql\n", "a.graphql": "type Query { a: Int }"})
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr output
	done := make(chan int)
	go func() {
		done <- Watch(ctx, Options{Config: filepath.Join(folder, "supergraph.yaml"), Poll: time.Millisecond, Stdout: &stdout, Stderr: &stderr})
	}()
	eventually(t, "the first composition", func() bool { return stdout.String() != "" })
	for _, text := range []string{"# a comment\ntype Query { a: Int }", "type Query { a: Int } enum Unused { X }", "type Query { last: Int }"} {
		if err := os.WriteFile(filepath.Join(folder, "a.graphql"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "Unused") {
			eventually(t, "the hint", func() bool { return strings.Contains(stderr.String(), "UNUSED_ENUM_TYPE") })
		}
	}
	eventually(t, "the last composition", func() bool { return strings.Contains(stdout.String(), "last: Int") })
	stop()
	<-done
	// The comment may have been read or not; what it composes to is what was there.
	if n := strings.Count(stdout.String(), "schema\n"); n != 3 {
		t.Errorf("%d supergraphs written, want 3:\n%s", n, stdout.String())
	}
}

func TestWatchRefusesStandardInput(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := Watch(t.Context(), Options{Config: "-", Stdout: &stdout, Stderr: &stderr}); status != NotRun || !strings.Contains(stderr.String(), "can't be watched") {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}
