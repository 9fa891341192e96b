package router_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	forms "mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

const uploadSchema = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
scalar Upload
input Picture { file: Upload!, alt: String }
type Query { hello(file: Upload): String }
type Mutation { add(name: String!, files: [Upload!], picture: Picture): String }`

// receive answers a mutation with files by what came.
func receive(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var operations struct{ Variables json.RawMessage }
	if err := json.Unmarshal([]byte(r.FormValue("operations")), &operations); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	got := string(operations.Variables) + " " + r.FormValue("map")
	for i := range len(r.MultipartForm.File) {
		file, header, err := r.FormFile(fmt.Sprint(i))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		content, _ := io.ReadAll(file)
		got += " " + header.Filename + " " + header.Header.Get("Content-Type") + " " + string(content)
	}
	answer, _ := json.Marshal(map[string]any{"data": map[string]any{"add": got}})
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// upload posts a mutation with one file per content, each at the paths of its name.
func upload(t *testing.T, target, operations string, paths ...string) string {
	t.Helper()
	var body bytes.Buffer
	w := forms.NewWriter(&body)
	places := map[string][]string{}
	for i, path := range paths {
		places[fmt.Sprint(i)] = []string{path}
	}
	text, _ := json.Marshal(places)
	_ = w.WriteField("operations", operations)
	_ = w.WriteField("map", string(text))
	for i := range paths {
		part, err := w.CreateFormFile(fmt.Sprint(i), fmt.Sprintf("picture %d.png", i))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(part, "content %d", i)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target+"/graphql", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Apollo-Require-Preflight", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestFilesReachTheSubgraphThatTakesThem(t *testing.T) {
	composed, err := compose.Compose([]compose.Subgraph{{Name: "pictures", URL: "http://pictures", SDL: uploadSchema}}, compose.Config{})
	if err != nil {
		t.Fatal(err)
	}
	subgraph := httptest.NewServer(http.HandlerFunc(receive))
	defer subgraph.Close()
	for name, cfg := range map[string]router.Config{
		"over HTTP":  {HTTP: map[string]transport.HTTPConfig{"pictures": {URL: subgraph.URL}}},
		"in process": {Transports: map[string]transport.Transport{"pictures": &transport.Handler{Handler: http.HandlerFunc(receive)}}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Supergraph, cfg.Serve.Uploads = composed.SDL, serve.Uploads{Enabled: true}
			r, err := router.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(r)
			defer server.Close()
			const add = `{"query":"mutation($f: [Upload!], $p: Picture) { add(name: \"a\", files: $f, picture: $p) }","variables":{"f":[null,null],"p":{"file":null,"alt":"x"}}}`
			got := upload(t, server.URL, add, "variables.f.0", "variables.f.1", "variables.p.file")
			for _, want := range []string{
				`[null,null]`, `\"file\":null`, "picture 0.png application/octet-stream content 0", "picture 1.png", "content 1", "content 2", ".file",
			} {
				if !strings.Contains(got, want) {
					t.Errorf("got %s\nwithout %s", got, want)
				}
			}
			if strings.Contains(got, "file:") {
				t.Errorf("a token has left the router: %s", got)
			}
			got = upload(t, server.URL, `{"query":"query($f: Upload) { hello(file: $f) }","variables":{"f":null}}`, "variables.f")
			if !strings.Contains(got, "Files can only come with a mutation.") {
				t.Errorf("a query: got %s", got)
			}
		})
	}
}
