package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const good = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { a: A }
type A @key(fields: "id") { id: ID! }
enum Unused { X }
`

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func run(t *testing.T, o Options) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	o.Stdout, o.Stderr = &out, &errs
	status = Compose(t.Context(), o)
	return status, out.String(), errs.String()
}

func TestPlainOutputIsTheSupergraphAloneAndHintsGoToStandardError(t *testing.T) {
	folder := write(t, map[string]string{
		"a.graphql":       good,
		"supergraph.yaml": "federation_version: =2.9.0\nsubgraphs:\n  a:\n    routing_url: http://a\n    surprise: 1\n    schema:\n      file: a.graphql\n",
	})
	status, stdout, stderr := run(t, Options{Config: filepath.Join(folder, "supergraph.yaml")})
	if status != Composed || !strings.HasPrefix(stdout, "schema\n") || !strings.HasSuffix(stdout, "}\n") || strings.HasSuffix(stdout, "\n\n") {
		t.Errorf("status %d, stdout:\n%s", status, stdout)
	}
	for _, want := range []string{"HINT: [UNUSED_ENUM_TYPE] ", `supergraph.yaml:5:5: unknown key "surprise" in subgraph "a" is ignored`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}

func TestErrorsShowCodePlaceAndExcerpt(t *testing.T) {
	config := "subgraphs:\n  a:\n    schema:\n      sdl: |\n        type Query { a: Missing }\n"
	status, stdout, stderr := run(t, Options{Config: "-", Stdin: strings.NewReader(config)})
	want := "error: [INVALID_GRAPHQL] [a] Unknown type Missing\n  --> a:1:14\n   1 | type Query { a: Missing }\n     |              ^\n"
	if status != Failed || stdout != "" || stderr != want {
		t.Errorf("status %d, stdout %q, stderr:\n%s\nwant:\n%s", status, stdout, stderr, want)
	}
}

func TestJSONHasTheShapeOfRover(t *testing.T) {
	broken := "subgraphs:\n  a:\n    schema:\n      sdl: |\n        type Query { a: Missing }\n"
	status, stdout, _ := run(t, Options{Config: "-", Stdin: strings.NewReader(broken), Format: "json"})
	want := `{"json_version":"1","data":{"success":false},"error":{"message":"Encountered 1 build error while trying to build a supergraph.","code":"E029",` +
		`"details":{"build_errors":[{"message":"[a] Unknown type Missing","code":"INVALID_GRAPHQL","type":"composition","nodes":[{"subgraph":"a","source":"type Query { a: Missing }\n",` +
		`"start":{"line":1,"column":14,"start":13,"end":14},"end":{"line":1,"column":14,"start":13,"end":14}}],"omittedNodesCount":0,"schemaCoordinate":"Query.a"}]}}}` + "\n"
	if status != Failed || stdout != want {
		t.Errorf("status %d, stdout:\n%s\nwant:\n%s", status, stdout, want)
	}
	fine := "subgraphs: {a: {schema: {sdl: 'type Query { a: Int }'}}}"
	status, stdout, _ = run(t, Options{Config: "-", Stdin: strings.NewReader(fine), Format: "json"})
	var document struct {
		Data struct {
			CoreSchema        string `json:"core_schema"`
			FederationVersion string `json:"federation_version"`
			Success           bool   `json:"success"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(stdout), &document); err != nil || status != Composed || !document.Data.Success || document.Data.CoreSchema == "" {
		t.Errorf("status %d, error %v, stdout:\n%s", status, err, stdout)
	}
}

func TestWhatCannotBeReadIsSaidWithItsPlace(t *testing.T) {
	tests := map[string]struct{ config, want string }{
		"a missing file":            {"subgraphs:\n  a:\n    schema:\n      file: nowhere.graphql\n", `stdin:4:13: subgraph "a": read nowhere.graphql: no such file or directory`},
		"a graph of a registry":     {"subgraphs:\n  a:\n    schema:\n      graphref: x@y\n", "stdin:4:7: subgraph \"a\": `graphref` is not supported"},
		"an unset variable":         {"subgraphs:\n  a:\n    schema:\n      sdl: ${env.NOBODY_SETS_THIS}\n", "stdin:4:12: environment variable NOBODY_SETS_THIS is not set"},
		"no schema":                 {"subgraphs:\n  a:\n    routing_url: http://a\n", `stdin:2:3: subgraph "a" has no schema`},
		"broken YAML":               {"subgraphs: [", "stdin:1"},
		"an empty file":             {"", "stdin: the file is empty"},
		"two subgraphs of one name": {"subgraphs:\n  a: {schema: {sdl: 'x'}}\n  a: {schema: {sdl: 'y'}}\n", "stdin:3:3: "},
		"federation 1":              {"federation_version: 1\nsubgraphs:\n  a: {schema: {sdl: 'type Query {a: Int}'}}\n", "federation 1 schemas are composed by the federation 2 algorithm"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := run(t, Options{Config: "-", Stdin: strings.NewReader(test.config)})
			if status != NotRun || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("status %d, stdout %q, stderr:\n%s\nwant %q", status, stdout, stderr, test.want)
			}
		})
	}
}

func TestWhatCannotBeReadIsABuildErrorOfTypeConfigInJSON(t *testing.T) {
	config := "subgraphs:\n  a:\n    schema:\n      file: nowhere.graphql\n  b:\n    routing_url: http://b\n"
	status, stdout, _ := run(t, Options{Config: "-", Stdin: strings.NewReader(config), Format: "json"})
	want := `{"json_version":"1","data":{"success":false},"error":{"message":"Encountered 2 build errors while trying to build a supergraph.","code":"E029",` +
		`"details":{"build_errors":[{"message":"stdin:4:13: subgraph \"a\": read nowhere.graphql: no such file or directory","code":null,"type":"config","nodes":[],"omittedNodesCount":0,"schemaCoordinate":null},` +
		`{"message":"stdin:5:3: subgraph \"b\" has no schema: give one of file, subgraph_url, sdl","code":null,"type":"config","nodes":[],"omittedNodesCount":0,"schemaCoordinate":null}]}}}` + "\n"
	if status != NotRun || stdout != want {
		t.Errorf("status %d, stdout:\n%s\nwant:\n%s", status, stdout, want)
	}
}

func TestErrorsSayHowToMendThem(t *testing.T) {
	config := "subgraphs:\n  a:\n    schema:\n      sdl: 'type Query { a: Int }'\n  b:\n    schema:\n      sdl: 'type Query { a: String }'\n"
	_, _, stderr := run(t, Options{Config: "-", Stdin: strings.NewReader(config)})
	if want := "  help: Give it the same type in every subgraph"; !strings.Contains(stderr, want) {
		t.Errorf("stderr %s, want %q", stderr, want)
	}
}

func TestRunningSubgraphsAreAskedAndAHungOneTimesOutWithItsName(t *testing.T) {
	release := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hung.Close()
	defer close(release)
	alive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "secret" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"_service": map[string]any{"sdl": "type Query { b: Int }"}}})
	}))
	defer alive.Close()
	config := "subgraphs:\n  b:\n    schema:\n      subgraph_url: " + alive.URL + "\n      introspection_headers:\n        X-Token: ${env.NOBODY_SETS_THIS:-secret}\n"
	status, stdout, stderr := run(t, Options{Config: "-", Stdin: strings.NewReader(config)})
	if status != Composed || !strings.Contains(stdout, `B @join__graph(name: "b", url: "`+alive.URL+`")`) {
		t.Errorf("status %d, stderr %s, stdout:\n%s", status, stderr, stdout)
	}
	config += "  a:\n    schema:\n      subgraph_url: " + hung.URL + "\n"
	status, _, stderr = run(t, Options{Config: "-", Stdin: strings.NewReader(config), Timeout: 100 * time.Millisecond})
	if want := `subgraph "a": introspect ` + hung.URL + ": no answer within 100ms"; status != NotRun || !strings.Contains(stderr, want) {
		t.Errorf("status %d, stderr %s, want %q", status, stderr, want)
	}
}

func TestHintsFailTheCommandFromTheLevelOn(t *testing.T) {
	config := "subgraphs:\n  a:\n    schema:\n      sdl: 'type Query { a: Int } enum Unused { X }'\n"
	for level, want := range map[string]int{"": Composed, "debug": Failed, "INFO": Composed, "WARN": Composed, "loud": NotRun} {
		if status, _, _ := run(t, Options{Config: "-", Stdin: strings.NewReader(config), FailOnHints: level}); status != want {
			t.Errorf("FailOnHints %q: status %d, want %d", level, status, want)
		}
	}
}

func TestOutputIsReplacedWhole(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "supergraph.graphql")
	config := "subgraphs:\n  a:\n    schema:\n      sdl: 'type Query { a: Int }'\n"
	status, stdout, stderr := run(t, Options{Config: "-", Stdin: strings.NewReader(config), Output: path})
	text, err := os.ReadFile(path)
	if status != Composed || stdout != "" || err != nil || !strings.HasPrefix(string(text), "schema\n") {
		t.Errorf("status %d, stdout %q, stderr %q, error %v", status, stdout, stderr, err)
	}
	entries, _ := os.ReadDir(folder)
	if len(entries) != 1 {
		t.Errorf("%d files left, want 1", len(entries))
	}
}
