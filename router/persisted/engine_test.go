package persisted_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/automatic"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
)

const (
	names     = "{products{name}}"
	kettles   = `200 {"products":[{"name":"Kettle"}]}`
	renaming  = `mutation{rename(id:1,name:"x"){name}}`
	renamed   = `200 {"rename":{"name":"Kettle"}}`
	unwelcome = "query Unwelcome{products{id}}"
)

func apollo(id, query string) string {
	body := map[string]any{"extensions": map[string]any{
		"clientLibrary": map[string]any{"name": "@apollo/client", "version": "4.3.8"}, "persistedQuery": map[string]any{"version": 1, "sha256Hash": id},
	}}
	if query != "" {
		body["query"] = query
	}
	return encoded(body)
}

func encoded(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func text(query string) string { return encoded(map[string]any{"query": query}) }

func extensions(id string) string {
	return url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"` + id + `","miss":true}}`)
}

func TestAClientRegistersItsQueryAndThenSendsTheHashAlone(t *testing.T) {
	d := open(t, persisted.Config{Automatic: &automatic.Memory{}})
	hash := manifest.SHA256(names)
	d.wants("a hash that nobody knows", "200 PERSISTED_QUERY_NOT_FOUND", d.post("", apollo(hash, "")))
	d.wants("a hash of another text", "400 PERSISTED_QUERY_HASH_MISMATCH", d.post("", apollo(hash, names+" ")))
	d.wants("still nobody knows it", "200 PERSISTED_QUERY_NOT_FOUND", d.get("?extensions="+extensions(hash)))
	d.wants("hash and text", kettles, d.post("", apollo(hash, names)))
	d.wants("the hash alone", kettles, d.post("", apollo(hash, "")))
	d.wants("the hash by GET", kettles, d.get("?extensions="+extensions(hash)))
	other := "{ products { name } }"
	d.wants("another one registered by GET", kettles, d.get("?query="+url.QueryEscape(other)+"&extensions="+extensions(manifest.SHA256(other))))
	d.wants("the other one", kettles, d.post("", apollo(manifest.SHA256(other), "")))
	d.wants("a version that nobody knows", "200 PERSISTED_QUERY_NOT_SUPPORTED", d.post("", strings.Replace(apollo(hash, ""), `"version":1`, `"version":2`, 1)))
	d.wants("the same with the text", kettles, d.post("", strings.Replace(apollo(hash, names), `"version":1`, `"version":2`, 1)))
	d.wants("a documentId", "400 PERSISTED_DOCUMENT_NOT_FOUND", d.post("", `{"documentId":"`+hash+`"}`))
}

func TestTheMessageAndTheCachingOfAMissAreApollos(t *testing.T) {
	d := open(t, persisted.Config{Automatic: &automatic.Memory{}})
	resp, err := d.send("POST", "", apollo("0", ""), "Accept", "application/json")
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Cache-Control"); got != "private, no-cache, must-revalidate" {
		t.Errorf("Cache-Control: %s", got)
	}
	d.wants("the miss", "200 PERSISTED_QUERY_NOT_FOUND", d.answer(resp, nil))
}

func TestMutationsAreRegisteredByPOSTAndNeverRunByGET(t *testing.T) {
	d := open(t, persisted.Config{Automatic: &automatic.Memory{}})
	hash := manifest.SHA256(renaming)
	d.wants("by GET", "405 METHOD_NOT_ALLOWED", d.get("?query="+url.QueryEscape(renaming)+"&extensions="+extensions(hash)))
	d.wants("what a GET could not run is not kept", "200 PERSISTED_QUERY_NOT_FOUND", d.post("", apollo(hash, "")))
	d.wants("by POST", renamed, d.post("", apollo(hash, renaming)))
	d.wants("the hash by GET", "405 METHOD_NOT_ALLOWED", d.get("?extensions="+extensions(hash)))
	d.wants("the hash by POST", renamed, d.post("", apollo(hash, "")))
}

func TestWhatIsNotValidIsNotKept(t *testing.T) {
	d := open(t, persisted.Config{Automatic: &automatic.Memory{}})
	hash := manifest.SHA256("{nothing}")
	d.wants("an invalid query", "400 GRAPHQL_VALIDATION_FAILED", d.post("", apollo(hash, "{nothing}")))
	d.wants("its hash", "200 PERSISTED_QUERY_NOT_FOUND", d.post("", apollo(hash, "")))
}

// The manifests in testdata are those of @apollo/generate-persisted-query-manifest 1.4.0 and relay-compiler 21.0.1.
func TestDocumentsOfRealManifestsAreFoundInEveryWay(t *testing.T) {
	d := open(t, persisted.Config{Manifests: []persisted.Manifest{
		{Source: store.File{Path: "testdata/apollo.json"}}, {Source: store.File{Path: "testdata/relay.json"}},
	}})
	ids := map[string]string{}
	for document := range d.engine.Documents() {
		ids[document.Name] = document.ID
	}
	const variables = `,"variables":{"id":"1","name":"x","first":1}}`
	want := `200 {"products":[{"id":"1","name":"Kettle","__typename":"Product"}]}`
	for _, form := range []struct{ name, id string }{{"Apollo's id", ids["Products"]}, {"with its prefix", "sha256:" + ids["Products"]}} {
		d.wants(form.name+" as documentId", want, d.post("", `{"documentId":"`+form.id+`"}`))
		d.wants(form.name+" as Apollo's extension", want, d.post("", apollo(form.id, "")))
		d.wants(form.name+" as doc_id", want, d.post("", `{"doc_id":"`+form.id+`"}`))
		d.wants(form.name+" in the path", want, d.get("/"+form.id))
		d.wants(form.name+" in the path of a POST", want, d.post("/"+form.id, `{}`))
		d.wants(form.name+" in a parameter", want, d.get("?id="+form.id))
		d.wants(form.name+" as documentId by GET", want, d.get("?documentId="+url.QueryEscape(form.id)))
	}
	d.wants("a document with a fragment over two subgraphs",
		`200 {"product":{"name":"Kettle","reviews":[{"text":"It boils.","__typename":"Review"}],"__typename":"Product"}}`,
		d.post("", `{"documentId":"`+ids["Product"]+`","variables":{"id":"1"}}`))
	d.wants("Relay's id", `200 {"products":[{"id":"1","name":"Kettle"}]}`, d.post("", `{"doc_id":"`+ids["AProductsQuery"]+`","variables":{"first":1}}`))
	d.wants("a mutation", `200 {"rename":{"id":"1","name":"Kettle"}}`, d.post("", `{"doc_id":"`+ids["ARenameMutation"]+`"`+strings.Replace(variables, `,"first":1`, "", 1)))
	d.wants("a mutation by GET", "405 METHOD_NOT_ALLOWED", d.get("/"+ids["Rename"]+"?variables="+url.QueryEscape(`{"id":"1","name":"x"}`)))
	d.wants("any text, as nothing forbids it", kettles, d.post("", text(names)))
}

func TestRefusalsSpeakTheHabitOfTheClient(t *testing.T) {
	known := written(t, manifest.Document{ID: "known", Text: names})
	tests := []struct {
		name  string
		mode  persisted.Mode
		apq   bool
		body  string
		want  string
		plain string // the status for application/json, if it is another
	}{
		{"unknown, by Apollo's extension", persisted.Off, false, apollo("x", ""), "404 PERSISTED_QUERY_NOT_IN_LIST", ""},
		{"unknown, with APQ", persisted.Off, true, apollo("x", ""), "200 PERSISTED_QUERY_NOT_FOUND", ""},
		{"unknown, with APQ and a log", persisted.Log, true, apollo("x", ""), "200 PERSISTED_QUERY_NOT_FOUND", ""},
		{"unknown, with APQ and a safelist", persisted.Safelist, true, apollo("x", ""), "404 PERSISTED_QUERY_NOT_IN_LIST", ""},
		{"unknown, by documentId", persisted.Off, true, `{"documentId":"x"}`, "400 PERSISTED_DOCUMENT_NOT_FOUND", "200"},
		{"unknown, by doc_id", persisted.RequireID, false, `{"doc_id":"x"}`, "400 PERSISTED_DOCUMENT_NOT_FOUND", "200"},
		{"half of Hive's id", persisted.Off, false, `{"documentId":"app~x"}`, "400 PERSISTED_DOCUMENT_EXTRACTION_FAILED", "200"},
		{"id and text, without APQ", persisted.Off, false, apollo("known", names), "400 CANNOT_SEND_PQ_ID_AND_BODY", ""},
		{"id and text, with a safelist", persisted.Safelist, true, apollo(manifest.SHA256(names), names), "400 CANNOT_SEND_PQ_ID_AND_BODY", ""},
		{"documentId and text", persisted.Off, true, `{"documentId":"known","query":"{products{id}}"}`, "400 CANNOT_SEND_PQ_ID_AND_BODY", "200"},
		{"a text where ids are required", persisted.RequireID, false, text(names), "400 PERSISTED_QUERY_ID_REQUIRED", ""},
		{"introspection where ids are required", persisted.RequireID, false, text("{__typename}"), "400 PERSISTED_QUERY_ID_REQUIRED", ""},
		{"an unknown text", persisted.Safelist, false, text(unwelcome), "403 QUERY_NOT_IN_SAFELIST", ""},
		{"what does not parse", persisted.Safelist, false, text("{"), "403 QUERY_NOT_IN_SAFELIST", ""},
		{"an unknown text that is logged", persisted.Log, false, text(unwelcome), `200 {"products":[{"id":"1"}]}`, ""},
		{"a known text", persisted.Safelist, false, text(names), kettles, ""},
		{"a known text in another notation", persisted.Safelist, false, text("# mine\nquery {\n  products { name, }\n}"), kettles, ""},
		{"introspection with a safelist", persisted.Safelist, false, text("{__typename}"), `200 {"__typename":"Query"}`, ""},
		{"introspection with something beside it", persisted.Safelist, false, text("{__typename products{id}}"), "403 QUERY_NOT_IN_SAFELIST", ""},
		{"a known id", persisted.RequireID, false, apollo("known", ""), kettles, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := persisted.Config{Mode: test.mode, Manifests: []persisted.Manifest{{Source: known}}}
			if test.apq {
				cfg.Automatic = &automatic.Memory{}
			}
			d := open(t, cfg)
			d.wants("graphql-response+json", test.want, d.post("", test.body))
			status, code, _ := strings.Cut(test.want, " ")
			if test.plain != "" {
				status = test.plain
			}
			d.wants("application/json", status+" "+code, d.post("", test.body, "Accept", "application/json"))
		})
	}
}

func TestUnknownOperationsAreLoggedOnceAndWithoutTheirText(t *testing.T) {
	d := open(t, persisted.Config{Mode: persisted.Log, Manifests: []persisted.Manifest{{Source: written(t, manifest.Document{ID: "known", Text: names})}}})
	for range 3 {
		d.post("", `{"operationName":"Unwelcome","query":"`+unwelcome+`"}`, "graphql-client-name", "web")
		d.post("", text(names), "graphql-client-name", "web")
	}
	log := d.logged()
	if n := strings.Count(log, "unknown operation"); n != 1 || !strings.Contains(log, "client=web") || !strings.Contains(log, "operation=Unwelcome") || strings.Contains(log, "products{id}") {
		t.Errorf("logged %d times:\n%s", n, log)
	}
}

func TestTwoClientsSideBySideSeeTheirOwnDocumentsOnly(t *testing.T) {
	d := open(t, persisted.Config{
		Mode: persisted.RequireID,
		Manifests: []persisted.Manifest{
			{Source: written(t, manifest.Document{ID: "d", Text: names}), Client: "acme"},
			{Source: written(t, manifest.Document{ID: "d", Text: "{products{id}}"}, manifest.Document{ID: "e", Text: names}), Client: "byte"},
			{Source: written(t, manifest.Document{ID: "f", Text: names}), Client: "web~2"},
			{Source: written(t, manifest.Document{ID: "all", Text: names})},
		},
		Clients: map[string]persisted.Client{
			"acme": {Mode: persisted.Safelist, RequireKey: true}, "byte": {Mode: persisted.RequireID, RequireKey: true}, "web": {Mode: persisted.Off},
		},
	})
	const missing = "400 PERSISTED_DOCUMENT_NOT_FOUND"
	byID := func(id string) string { return `{"documentId":"` + id + `"}` }
	d.wants("acme's own", kettles, d.post("", byID("d"), "X-API-Key", "acme"))
	d.wants("byte's own under the same id", `200 {"products":[{"id":"1"}]}`, d.post("", byID("d"), "X-API-Key", "byte"))
	d.wants("byte's, asked for by acme", missing, d.post("", byID("e"), "X-API-Key", "acme"))
	d.wants("the same by Hive's form", missing, d.post("", byID("byte~1~e"), "X-API-Key", "acme"))
	d.wants("the same with a header", missing, d.post("", byID("e"), "X-API-Key", "acme", "graphql-client-name", "byte"))
	d.wants("byte's by its name without its key", missing, d.post("", byID("e"), "graphql-client-name", "byte"))
	d.wants("the same by Hive's form", missing, d.post("", byID("byte~1~e")))
	d.wants("everybody's", kettles, d.post("", byID("all"), "X-API-Key", "acme"))
	d.wants("everybody's for nobody", kettles, d.post("", byID("all")))
	d.wants("acme's safelist for acme", kettles, d.post("", text(names), "X-API-Key", "acme"))
	d.wants("byte's text for acme", "403 QUERY_NOT_IN_SAFELIST", d.post("", text("{products{id}}"), "X-API-Key", "acme"))
	d.wants("acme's mode for who only says so", "400 PERSISTED_QUERY_ID_REQUIRED", d.post("", text(names), "graphql-client-name", "acme"))
	d.wants("a laxer mode for who only says so", "400 PERSISTED_QUERY_ID_REQUIRED", d.post("", text(names), "graphql-client-name", "web"))
	d.wants("a laxer mode with the key", kettles, d.post("", text(names), "X-API-Key", "web"))
	d.wants("a version's own", kettles, d.post("", byID("f"), "graphql-client-name", "web", "graphql-client-version", "2"))
	d.wants("the same by Hive's form", kettles, d.post("", byID("web~2~f")))
	d.wants("another version's", missing, d.post("", byID("f"), "graphql-client-name", "web", "graphql-client-version", "1"))
}

func TestRequestsWithABypassMaySendAnyText(t *testing.T) {
	d := open(t, persisted.Config{
		Mode: persisted.RequireID, Bypass: persisted.BypassByScope("documents:any"),
	})
	d.wants("without", "400 PERSISTED_QUERY_ID_REQUIRED", d.post("", text(names), "X-API-Key", "acme"))
	d.wants("with", kettles, d.post("", text(names), "X-API-Key", "documents:any"))
}
