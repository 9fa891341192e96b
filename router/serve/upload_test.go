package serve_test

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

// field is a part of a form; one with a file's name is a file.
type field struct{ name, file, content string }

// sendForm posts a form with the header that such a request needs.
func sendForm(t *testing.T, target string, fields []field, header ...string) answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, f := range fields {
		part, err := w.CreateFormField(f.name)
		if f.file != "" {
			part, err = w.CreateFormFile(f.name, f.file)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return do(t, "POST", target, body.String(), append([]string{"Content-Type", w.FormDataContentType()}, header...)...)
}

func TestRequestsWithFilesThatCantBeTakenAreRefused(t *testing.T) {
	server, engine := start(t, serve.Config{Uploads: serve.Uploads{Enabled: true, MaxFiles: 2, MaxFileBytes: 10, MaxBytes: 5000}})
	const operations = `{"query":"mutation($f:Int){bump}","variables":{"f":null,"g":[null,1]}}`
	form := func(operations, places string, files ...string) []field {
		fields := []field{{"operations", "", operations}, {"map", "", places}}
		for i, content := range files {
			fields = append(fields, field{string(rune('0' + i)), "a.txt", content})
		}
		return fields
	}
	tests := []struct {
		name    string
		fields  []field
		status  int
		code    string
		message string
	}{
		{"no map", form(operations, "")[:1], 400, "BAD_REQUEST", "operations and map"},
		{"operations that are no JSON", form("x", "{}"), 400, "BAD_REQUEST", "malformed JSON"},
		{"a batch", form("["+operations+"]", "{}"), 400, "BAD_REQUEST", "batch"},
		{"a map of another form", form(operations, `{"0":"variables.f"}`, "x"), 400, "BAD_REQUEST", "map is no JSON object of lists"},
		{"a file that did not come", form(operations, `{"0":["variables.f"]}`), 400, "BAD_REQUEST", `the file \"0\", which came 0 times`},
		{"a path that is taken", form(operations, `{"0":["variables.g.1"]}`, "x"), 400, "BAD_REQUEST", "leads to no null"},
		{"a path out of the list", form(operations, `{"0":["variables.g.2"]}`, "x"), 400, "BAD_REQUEST", "leads to no null"},
		{"a path into the query", form(operations, `{"0":["query"]}`, "x"), 400, "BAD_REQUEST", "leads to no null"},
		{"one place for two files", form(operations, `{"0":["variables.f"],"1":["variables.f"]}`, "x", "y"), 400, "BAD_REQUEST", "leads to no null"},
		{"no variables", form(`{"query":"{hello}"}`, `{"0":["variables.f"]}`, "x"), 400, "BAD_REQUEST", "needs variables"},
		{"too many files", form(operations, `{"0":["variables.f"],"1":[],"2":[]}`, "x", "y", "z"), 413, "PAYLOAD_TOO_LARGE", "more than 2 files"},
		{"a large file", form(operations, `{"0":["variables.f"]}`, "eleven bytes"), 413, "PAYLOAD_TOO_LARGE", "larger than 10 bytes"},
		{"a large request", form(operations, `{"0":["variables.f"]}`, strings.Repeat("x", 5000)), 413, "PAYLOAD_TOO_LARGE", "larger than 5000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := sendForm(t, server.URL+"/graphql", test.fields, "GraphQL-Require-Preflight", "1")
			if got.status != test.status || got.code != test.code || !strings.Contains(got.body, test.message) {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	good := form(operations, `{"0":["variables.f","variables.g.0"]}`, "x")
	if got := sendForm(t, server.URL+"/graphql", good); got.status != 403 || got.code != serve.CodeCSRF {
		t.Errorf("as a form elsewhere would send it: got %d %s", got.status, got.body)
	}
	off, _ := start(t, serve.Config{})
	if got := sendForm(t, off.URL+"/graphql", good, "GraphQL-Require-Preflight", "1"); got.status != 415 || !strings.Contains(got.body, "not enabled") {
		t.Errorf("off: got %d %s", got.status, got.body)
	}
	if n := engine.bumps.Load(); n != 0 {
		t.Errorf("%d mutations ran", n)
	}
}
