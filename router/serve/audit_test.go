package serve_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

const (
	acceptJSON    = "application/json"
	acceptGraphQL = "application/graphql-response+json"
)

// audit is one rule of GraphQL over HTTP; ids are those of the audits of the npm package graphql-http, which
// this table states in our own words.
type audit struct {
	id, rule string
	// method is POST, with body, or GET, with params.
	body   string
	params url.Values
	// contentType and accept are headers; empty leaves them out.
	contentType, accept string
	// low and high bound the status.
	low, high int
	// check looks further at the answer.
	check func(t *testing.T, a answer)
}

func TestTheRulesOfGraphQLOverHTTP(t *testing.T) {
	server, _ := start(t, serve.Config{})
	list := append(mediaAudits(), parameterAudits()...)
	list = append(list, append(kindAudits(), failureAudits()...)...)
	if len(list) != 61 {
		t.Errorf("%d audits, want 61", len(list))
	}
	for _, a := range list {
		t.Run(a.id+" "+a.rule, func(t *testing.T) { a.run(t, server) })
	}
}

func (a audit) run(t *testing.T, server *httptest.Server) {
	var header []string
	if a.contentType != "" {
		header = append(header, "Content-Type", a.contentType)
	}
	if a.accept != "" {
		header = append(header, "Accept", a.accept)
	}
	method, target := "POST", server.URL+"/graphql"
	if a.params != nil {
		method, target = "GET", target+"?"+a.params.Encode()
	}
	got := do(t, method, target, a.body, header...)
	if got.status < a.low || got.status > a.high {
		t.Errorf("status %d, want %d to %d: %s", got.status, a.low, a.high, got.body)
	}
	if a.check != nil {
		a.check(t, got)
	}
}

func hasType(mediaType string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		if got := a.header.Get("Content-Type"); got != mediaType+"; charset=utf-8" {
			t.Errorf("Content-Type %q, want %q in UTF-8", got, mediaType)
		}
	}
}

func entries(t *testing.T, a answer) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return body
}

func noErrors(t *testing.T, a answer) {
	if _, ok := entries(t, a)["errors"]; ok {
		t.Errorf("body has errors: %s", a.body)
	}
}

func noData(t *testing.T, a answer) {
	if _, ok := entries(t, a)["data"]; ok {
		t.Errorf("body has data: %s", a.body)
	}
}

func mediaAudits() []audit {
	const query = `{"query":"{ __typename }"}`
	return []audit{
		{id: "22EB", rule: "accepts graphql-response+json and answers in it", body: query, contentType: acceptJSON, accept: acceptGraphQL, low: 200, high: 200, check: hasType(acceptGraphQL)},
		{id: "4655", rule: "accepts json and answers in it", body: query, contentType: acceptJSON, accept: acceptJSON, low: 200, high: 200, check: hasType(acceptJSON)},
		{id: "47DE", rule: "answers */* in json", body: query, contentType: acceptJSON, accept: "*/*", low: 200, high: 200, check: hasType(acceptJSON)},
		{id: "80D8", rule: "answers in json when Accept is missing", body: query, contentType: acceptJSON, low: 200, high: 200, check: hasType(acceptJSON)},
		{id: "82A3", rule: "answers in UTF-8", body: query, contentType: acceptJSON, low: 200, high: 200},
		{id: "BF61", rule: "accepts requests in UTF-8", body: `{"query":"{ __type(name: \"Run🏃Swim🏊\") { name } }"}`, contentType: "application/json; charset=utf-8", low: 200, high: 200},
		{id: "78D5", rule: "assumes UTF-8", body: query, contentType: acceptJSON, low: 200, high: 200},
		{id: "2C94", rule: "accepts POST", body: query, contentType: acceptJSON, low: 200, high: 200},
		{id: "5A70", rule: "accepts GET", params: url.Values{"query": {"{ __typename }"}}, low: 200, high: 200},
		{id: "9C48", rule: "executes no mutation on GET", params: url.Values{"query": {"mutation { __typename }"}}, accept: acceptGraphQL, low: 405, high: 405},
		{id: "9ABE", rule: "refuses POST without Content-Type", body: query, low: 400, high: 499},
		{id: "03D4", rule: "accepts json by POST", body: query, contentType: acceptJSON, low: 200, high: 200},
		{id: "A5BF", rule: "refuses POST without a body", contentType: acceptJSON, low: 400, high: 400},
		{id: "423L", rule: "refuses a missing query", body: `{"notquery":"{ __typename }"}`, contentType: acceptJSON, accept: acceptGraphQL, low: 400, high: 400},
		{id: "8764", rule: "refuses invalid parameters", body: `{"qeury":"{ __typename }"}`, contentType: acceptJSON, low: 400, high: 599},
		{id: "3E3A", rule: "refuses invalid parameters with 400", body: `{"qeury":"{ __typename }"}`, contentType: acceptJSON, low: 400, high: 400},
	}
}

// parameterAudits are about parameters that must be taken.
func parameterAudits() []audit {
	accepted := func(id, rule, body, accept string) audit {
		a := audit{id: id, rule: rule, body: body, contentType: acceptJSON, accept: accept, low: 200, high: 200}
		if accept == acceptJSON || strings.HasPrefix(id, "94B") {
			a.check = noErrors
		}
		return a
	}
	list := []audit{
		accepted("34A2", "a string as query", `{"query":"{ __typename }"}`, acceptGraphQL),
		accepted("13EE", "a string as query, in json", `{"query":"{ __typename }"}`, acceptJSON),
		accepted("8161", "a string as operationName", `{"operationName":"Query","query":"query Query { __typename }"}`, acceptGraphQL),
		accepted("B8B3", "a string as operationName, in json", `{"operationName":"Query","query":"query Query { __typename }"}`, acceptJSON),
		accepted("2EA1", "a map as variables", `{"query":"query Type($name: String!) { __type(name: $name) { name } }","variables":{"name":"sometype"}}`, acceptGraphQL),
		accepted("28B9", "a map as variables, in json", `{"query":"query Type($name: String!) { __type(name: $name) { name } }","variables":{"name":"sometype"}}`, acceptJSON),
		accepted("428F", "a map as extensions", `{"query":"{ __typename }","extensions":{"some":"value"}}`, acceptGraphQL),
		accepted("1B7A", "a map as extensions, in json", `{"query":"{ __typename }","extensions":{"some":"value"}}`, acceptJSON),
	}
	for i, name := range []string{"variables", "operationName", "extensions"} {
		body := `{"query":"{ __typename }","` + name + `":null}`
		list = append(list,
			accepted("94B"+string(rune('0'+i)), "null as "+name, body, acceptGraphQL),
			accepted("022"+string(rune('0'+i)), "null as "+name+", in json", body, acceptJSON))
	}
	params := url.Values{"query": {"query Type($name: String!) { __type(name: $name) { name } }"}, "variables": {`{"name":"sometype"}`}}
	return append(list,
		audit{id: "D6D5", rule: "variables in a GET", params: params, accept: acceptGraphQL, low: 200, high: 200, check: noErrors},
		audit{id: "6A70", rule: "variables in a GET, in json", params: params, accept: acceptJSON, low: 200, high: 200, check: noErrors})
}

// kindAudits are about parameters of the wrong kind.
func kindAudits() []audit {
	var list []audit
	add := func(id, name string, values ...string) {
		for i, value := range values {
			body := `{"query":"{ __typename }","` + name + `":` + value + `}`
			if name == "query" {
				body = `{"query":` + value + `}`
			}
			list = append(list, audit{
				id: id + string(rune('0'+i)), rule: "refuses " + value + " as " + name, body: body, contentType: acceptJSON, low: 400, high: 400,
			})
		}
	}
	add("LKJ", "query", `{"obj":"ect"}`, `0`, `false`, `["array"]`)
	add("6C0", "operationName", `{"obj":"ect"}`, `0`, `false`, `["array"]`)
	add("476", "variables", `"string"`, `0`, `false`, `["array"]`)
	add("58B", "extensions", `"string"`, `0`, `false`, `["array"]`)
	return list
}

// failureAudits are about requests that fail before they execute.
func failureAudits() []audit {
	const (
		broken  = `{ "not a JSON`
		syntax  = `{"query":"{"}`
		invalid = `{"query":"{ 8f31403dfe404bccbb0e835f2629c6a7 }"}`
		coerce  = `{"query":"query CoerceFailure($id: ID!){ __typename }","variables":{"id":null}}`
	)
	fails := func(id, rule, body, accept string, low, high int, check func(*testing.T, answer)) audit {
		return audit{id: id, rule: rule, body: body, contentType: acceptJSON, accept: accept, low: low, high: high, check: check}
	}
	return []audit{
		fails("B6DC", "malformed JSON, in json", broken, acceptJSON, 200, 599, nil),
		fails("BCF8", "malformed JSON is 400, in json", broken, acceptJSON, 400, 400, nil),
		fails("B7N8", "malformed JSON is 400", broken, acceptGraphQL, 400, 400, nil),
		fails("572B", "a syntax error is 200, in json", syntax, acceptJSON, 200, 200, nil),
		fails("FDE2", "an invalid document is 200, in json", invalid, acceptJSON, 200, 200, nil),
		fails("7B9B", "a variable that does not fit is 200, in json", coerce, acceptJSON, 200, 200, nil),
		fails("865D", "a syntax error is no success", syntax, acceptGraphQL, 400, 599, nil),
		fails("556A", "a syntax error is 400", syntax, acceptGraphQL, 400, 400, nil),
		fails("D586", "a syntax error has no data", syntax, acceptGraphQL, 400, 400, noData),
		fails("51FE", "an invalid document is no success", invalid, acceptGraphQL, 400, 599, nil),
		fails("74FF", "an invalid document is 400", invalid, acceptGraphQL, 400, 400, nil),
		fails("5E5B", "an invalid document has no data", invalid, acceptGraphQL, 400, 400, noData),
		fails("86EE", "a variable that does not fit is 400", coerce, acceptGraphQL, 400, 400, nil),
	}
}
