package check_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/check"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/supergraph"
)

var update = flag.Bool("update", false, "rewrite the expected parts of the golden cases")

// A case holds subgraphs as old/NAME.graphql and new/NAME.graphql, operations in documents/ or in manifest.json, and what
// the check says of them as want.
func TestGoldenCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := outcome(t, archive).WriteText(&got); err != nil {
				t.Fatal(err)
			}
			last := len(archive.Files) - 1
			if want := archive.Files[last]; want.Name != "want" || *update {
				if want.Name == "want" {
					archive.Files = archive.Files[:last]
				}
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: got.Bytes()})
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(archive.Files[last].Data), got.String()); d != "" {
				t.Errorf("%s differs (-want +got):\n%s", path, d)
			}
		})
	}
}

func outcome(t *testing.T, archive *txtar.Archive) *check.Result {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	sides := map[string][]compose.Subgraph{}
	path := ""
	for _, f := range archive.Files {
		side, name, _ := strings.Cut(strings.TrimSuffix(f.Name, ".graphql"), "/")
		switch {
		case side == "old" || side == "new":
			sides[side] = append(sides[side], compose.Subgraph{Name: name, SDL: string(f.Data)})
		case side == "documents" || f.Name == "manifest.json":
			path, _, _ = strings.Cut(f.Name, "/")
			if err := os.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var documents []check.Document
	if path != "" {
		var err error
		if documents, err = check.ReadDocuments(path); err != nil {
			t.Fatal(err)
		}
	}
	return check.Check(load(t, sides["old"]), load(t, sides["new"]), documents)
}

func load(t *testing.T, subgraphs []compose.Subgraph) *supergraph.Supergraph {
	t.Helper()
	result, errs := compose.Compose(subgraphs, compose.Config{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	sg, err := supergraph.Load(result.SDL)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func TestASchemaDoesNotDifferFromItself(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []string{"old", "new"} {
			var subgraphs []compose.Subgraph
			for _, f := range archive.Files {
				if name, ok := strings.CutPrefix(f.Name, side+"/"); ok {
					subgraphs = append(subgraphs, compose.Subgraph{Name: strings.TrimSuffix(name, ".graphql"), SDL: string(f.Data)})
				}
			}
			if changes := check.Compare(load(t, subgraphs), load(t, subgraphs)); len(changes) > 0 {
				t.Errorf("%s: %s differs from itself: %v", path, side, changes)
			}
		}
	}
}

func TestJSONListsAreNeverNull(t *testing.T) {
	sg := load(t, []compose.Subgraph{{Name: "a", SDL: "type Query { a: Int }"}})
	var b bytes.Buffer
	if err := check.Check(sg, sg, nil).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	want := `{"json_version":"1","data":{"success":true,"breaking":0,"dangerous":0,"safe":0,"changes":[],"operations":{"checked":0,"broken":[],"invalid_already":[]}},"error":null}` + "\n"
	if b.String() != want || !json.Valid(b.Bytes()) {
		t.Errorf("WriteJSON wrote %s want %s", b.String(), want)
	}
}

func TestDocumentsThatCannotBeReadAreAllReported(t *testing.T) {
	write := func(files map[string]string) string {
		folder := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	tests := map[string]struct {
		path string
		want []string
	}{
		"a folder that is not there": {filepath.Join(t.TempDir(), "nowhere"), []string{"no such file or directory"}},
		"an empty folder":            {t.TempDir(), []string{"holds no .graphql or .gql file"}},
		"two files that do not parse": {
			write(map[string]string{"a.graphql": "query {", "b.gql": "{ a } }", "c.graphql": "{ a }"}), []string{"a.graphql:1:8", "b.gql:1:7"},
		},
		"a fragment that two other files define": {
			write(map[string]string{"a.graphql": "fragment F on Query { a }", "b.graphql": "fragment F on Query { b }", "c.graphql": "{ ...F }"}),
			[]string{"fragment F", "a.graphql", "b.graphql", "c.graphql"},
		},
		"a manifest of another format": {filepath.Join(write(map[string]string{"m.json": `{"format":"x","version":2,"operations":[]}`}), "m.json"), []string{`format "x" version 2 is unknown`}},
		"a list":                       {filepath.Join(write(map[string]string{"m.json": `["{ a }"]`}), "m.json"), []string{"a list, but not of pairs"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := check.ReadDocuments(test.path)
			if err == nil {
				t.Fatal("ReadDocuments gives no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("ReadDocuments gives %q, want %q in it", err, want)
				}
			}
		})
	}
}
