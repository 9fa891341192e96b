package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commandLine runs a command line and returns its status and what it wrote.
func commandLine(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, streams{strings.NewReader(""), &out, &err})
	return status, out.String(), err.String()
}

// folder holds the files and is the working directory.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	at := t.TempDir()
	for name, text := range files {
		replaceFile(t, filepath.Join(at, name), text)
	}
	t.Chdir(at)
	return at
}

// replaceFile writes a file so that nobody reads a half of it.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func yaml(sdl string) string {
	return "subgraphs:\n  a:\n    routing_url: http://127.0.0.1:1/\n    schema:\n      sdl: '" + sdl + "'\n"
}

func TestCheckExitsByWhatBreaks(t *testing.T) {
	folder(t, map[string]string{
		"old.yaml": yaml("type Query { a: Int b: Int }"), "less.yaml": yaml("type Query { b: Int }"), "more.yaml": yaml("type Query { a: Int b: Int c: Int }"),
		"bad.yaml": yaml("type Query { a: Missing }"), "a.graphql": "{ a }", "b.graphql": "query B { b }", "text.graphql": "nonsense",
	})
	if status, sdl, _ := commandLine(t, "compose", "--config", "old.yaml"); status == 0 {
		replaceFile(t, "old.graphql", sdl)
	}
	tests := map[string]struct {
		args   []string
		status int
		out    string
	}{
		"nothing changed":                  {[]string{"--config", "old.yaml", "--against", "old.graphql"}, 0, "0 breaking, 0 dangerous, 0 safe changes\n"},
		"something was added":              {[]string{"--config", "more.yaml", "--against", "old.yaml"}, 0, "safe: [FIELD_ADDED] Query.c"},
		"something was removed":            {[]string{"--config", "less.yaml", "--against", "old.graphql"}, 1, "breaking: [FIELD_REMOVED] Query.a"},
		"an operation breaks":              {[]string{"--config", "less.yaml", "--against", "old.yaml", "--documents", "a.graphql", "--only-documents"}, 1, "breaks: an anonymous operation in a.graphql"},
		"nobody uses what was removed":     {[]string{"--config", "less.yaml", "--against", "old.yaml", "--documents", "b.graphql", "--only-documents"}, 0, "0 of 1 operations break"},
		"documents of two places":          {[]string{"--config", "less.yaml", "--against", "old.yaml", "--documents", "b.graphql", "--documents", "a.graphql"}, 1, "1 of 2 operations break"},
		"the new one doesn't compose":      {[]string{"--config", "bad.yaml", "--against", "old.yaml"}, 2, "router check: compose bad.yaml: 1 errors\nerror: [INVALID_GRAPHQL] [a] Unknown type Missing\n  --> a:1:14\n"},
		"two files can't be read":          {[]string{"--config", "no.yaml", "--against", "nowhere.graphql"}, 2, "nowhere.graphql"},
		"the old one is no supergraph":     {[]string{"--config", "old.yaml", "--against", "text.graphql"}, 2, "text.graphql"},
		"documents that aren't there":      {[]string{"--config", "old.yaml", "--against", "old.yaml", "--documents", "nowhere"}, 2, "nowhere"},
		"no flags":                         {nil, 2, "--config and --against"},
		"an unknown format":                {[]string{"--config", "old.yaml", "--against", "old.yaml", "--format", "xml"}, 2, "--format"},
		"only documents, and none of them": {[]string{"--config", "old.yaml", "--against", "old.yaml", "--only-documents"}, 2, "--documents"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := commandLine(t, append([]string{"check"}, test.args...)...)
			if status != test.status || !strings.Contains(stdout+stderr, test.out) {
				t.Errorf("router check %v = %d\n%s%s\nwant %d and %q", test.args, status, stdout, stderr, test.status, test.out)
			}
		})
	}
}

func TestCheckWritesOneJSONDocument(t *testing.T) {
	folder(t, map[string]string{"old.yaml": yaml("type Query { a: Int b: Int }"), "new.yaml": yaml("type Query { b: Int }"), "m.json": `{"k": "query A { a }"}`})
	status, stdout, stderr := commandLine(t, "check", "--config", "new.yaml", "--against", "old.yaml", "--documents", "m.json", "--format", "json")
	var got struct {
		Data struct {
			Success    bool
			Changes    []struct{ Severity, Code, Coordinate, Message, Advice string }
			Operations struct {
				Broken []struct {
					File, ID, Operation string
					Errors              []struct{ Line, Column int }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 1 || stderr != "" {
		t.Fatalf("status %d, error %v, stderr %q, stdout %s", status, err, stderr, stdout)
	}
	if got.Data.Success || len(got.Data.Changes) != 1 || got.Data.Changes[0].Severity != "breaking" || got.Data.Changes[0].Coordinate != "Query.a" {
		t.Errorf("changes: %s", stdout)
	}
	if b := got.Data.Operations.Broken; len(b) != 1 || b[0].ID != "k" || b[0].Operation != "A" || b[0].Errors[0].Column != 11 {
		t.Errorf("operations: %s", stdout)
	}
}
