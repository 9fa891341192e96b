package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

// stores are what the commands work on.
func stores(t *testing.T) map[string]string {
	return map[string]string{"a file": "store.json", "a folder": "store", "redis": "redis://" + miniredis.RunT(t).Addr()}
}

func TestDocumentsArePublishedListedCheckedAndRetired(t *testing.T) {
	for name, place := range stores(t) {
		t.Run(name, func(t *testing.T) {
			folder(t, map[string]string{
				"old.yaml": yaml("type Query { a: Int b: Int }"), "new.yaml": yaml("type Query { b: Int }"),
				"acme1.json": `{"1":"query A { a }","2":"query B { b }"}`, "acme2.json": `[["2","query B { b }"]]`,
				"changed.json": `{"2":"query B { a }"}`, "invalid.json": `{"3":"query C { c }","4":"query D { a }"}`,
			})
			if err := os.Mkdir("store", 0o700); err != nil {
				t.Fatal(err)
			}
			persist := func(status int, want string, args ...string) {
				t.Helper()
				got, out, errs := commandLine(t, append([]string{"persist", args[0], "--store", place, "--client", "acme"}, args[1:]...)...)
				if got != status || !strings.Contains(out+errs, want) {
					t.Errorf("persist %v: %d, %s%s, want %d and %q", args, got, out, errs, status, want)
				}
			}
			persist(0, "2 documents published, 0 were there already", "publish", "--supergraph", "old.yaml", "acme1.json")
			persist(0, "0 documents published, 2 were there already", "publish", "--supergraph", "old.yaml", "acme1.json")
			persist(1, `the id "2" is that of another document`, "publish", "--supergraph", "old.yaml", "changed.json")
			persist(1, `C (3): 1:11: Cannot query field "c"`, "publish", "--supergraph", "old.yaml", "invalid.json")
			persist(2, "--supergraph names", "publish", "invalid.json")
			persist(0, "acme  query A  1\nacme  query B  2\n2 documents\n", "list")
			persist(0, `"clientName": "acme"`, "list", "--format", "json")

			status, out, errs := commandLine(t, "check", "--config", "new.yaml", "--against", "old.yaml", "--documents", place, "--only-documents")
			if status != 1 || !strings.Contains(out, "breaks: A (1) of acme in") || strings.Contains(out, "breaks: B") {
				t.Errorf("check: %d, %s%s", status, out, errs)
			}
			persist(0, "1 documents retire at", "retire", "--keep", "acme2.json", "--grace", "1h")
			persist(0, "acme  query A  1  until ", "list")
			persist(0, "1 documents retire at", "retire", "--id", "1", "--grace", "0s")
			persist(0, "acme  query B  2\n1 documents\n", "list")
			persist(1, "there is no such document of client acme", "retire", "--id", "1")
			persist(2, "by --id or by --keep", "retire")
			if status, out, _ := commandLine(t, "check", "--config", "new.yaml", "--against", "old.yaml", "--documents", place, "--only-documents"); status != 0 {
				t.Errorf("check after the end: %d, %s", status, out)
			}
		})
	}
}

func TestKeysAreMadeListedAndRevoked(t *testing.T) {
	for name, place := range stores(t) {
		if place == "store" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			folder(t, nil)
			key := func(status int, want string, args ...string) string {
				t.Helper()
				got, out, errs := commandLine(t, append([]string{"apikey", args[0], "--store", place}, args[1:]...)...)
				if got != status || !strings.Contains(out+errs, want) {
					t.Errorf("apikey %v: %d, %s%s, want %d and %q", args, got, out, errs, status, want)
				}
				return out
			}
			first := key(0, "agk_", "new", "--client", "acme", "--scopes", "a,b", "--expires", "24h")
			key(0, "agk_", "new", "--client", "acme")
			key(1, "has 2 live keys", "new", "--client", "acme")
			key(2, "--client names the client", "new")
			list := key(0, "a,b\n", "list")
			if id := first[4:12]; !strings.Contains(list, id+"  acme") || strings.Contains(list, strings.TrimSpace(first)) {
				t.Errorf("list: %s", list)
			}
			key(0, "ends at", "revoke", first[4:12])
			key(1, "there is no key", "revoke", first[4:12])
			key(0, "1 keys", "list")
		})
	}
}

// A partner gets a key, publishes its operations, and may then send their ids and nothing else.
func TestServeTakesAPartnersDocumentsAndKeys(t *testing.T) {
	subgraph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":{"a":1}}`))
	}))
	defer subgraph.Close()
	folder(t, map[string]string{
		"supergraph.yaml": strings.Replace(yaml("type Query { a: Int }"), "http://127.0.0.1:1/", subgraph.URL, 1),
		"acme.json":       `{"1":"query A { a }"}`,
		"router.yaml": `
supergraph: supergraph.yaml
listen: 127.0.0.1:0
api_keys: {file: keys.json, interval: 5ms}
persisted:
  automatic: {enabled: true}
  documents: [{file: store.json, interval: 5ms}]
  clients: {acme: {mode: require_id, require_key: true}}
  path: true
`,
	})
	_, key, _ := commandLine(t, "apikey", "new", "--store", "keys.json", "--client", "acme")
	key = strings.TrimSpace(key)
	publish := []string{"persist", "publish", "--store", "store.json", "--client", "acme", "--supergraph", "supergraph.yaml"}
	if status, _, errs := commandLine(t, append(publish, "acme.json")...); status != 0 {
		t.Fatal(errs)
	}
	url, log := running(t, "--config", "router.yaml")
	get := func(path, key string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			req.Header.Set("X-API-Key", key)
		}
		return answered(t, req)
	}
	for _, test := range []struct{ what, path, key, want string }{
		{"its document", "/1", key, `200 {"data":{"a":1}}`},
		{"a text of its own", "?query={a}", key, "PERSISTED_QUERY_ID_REQUIRED"},
		{"its document without the key", "/1", "", "PERSISTED_DOCUMENT_NOT_FOUND"},
		{"a text of somebody else", "?query={a}", "", `200 {"data":{"a":1}}`},
		{"a key that is none", "/1", "agk_wrong", "401 "},
	} {
		if got := get(test.path, test.key); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.what, got, test.want)
		}
	}
	// What is published and revoked while the router runs.
	replaceFile(t, "more.json", `{"2":"query B { b: a }"}`)
	if status, _, errs := commandLine(t, append(publish, "more.json")...); status != 0 {
		t.Fatal(errs)
	}
	eventually(t, "the new document", func() bool { return strings.HasPrefix(get("/2", key), "200 ") })
	commandLine(t, "apikey", "revoke", "--store", "keys.json", key[4:12])
	eventually(t, "the key's end", func() bool { return strings.HasPrefix(get("/1", key), "401 ") })
	// A supergraph in which a document is not valid any more is served; the log tells whose document that is.
	replaceFile(t, "supergraph.yaml", yaml("type Query { c: Int }"))
	eventually(t, "the log", func() bool {
		return strings.Contains(log.String(), "persisted document can't be executed") && strings.Contains(log.String(), "client=acme operation=A")
	})
}

func TestServeNamesAManifestThatIsNotThere(t *testing.T) {
	folder(t, map[string]string{"s.yaml": yaml("type Query { a: Int }"), "router.yaml": "supergraph: s.yaml\npersisted: {documents: [{file: nowhere.json}]}"})
	if status, _, errs := commandLine(t, "serve", "--config", "router.yaml"); status != 1 || !strings.Contains(errs, "nowhere.json") {
		t.Errorf("serve: %d, %s", status, errs)
	}
}

// answered is the status and the body of an answer.
func answered(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(resp.StatusCode) + " " + string(body)
}
