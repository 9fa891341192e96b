package headers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// facts is a Source for tests.
type facts map[string]string

func (f facts) Value(name string) string { return f[name] }

var client = http.Header{
	"Authorization": {"Bearer T"}, "X-Tenant": {"acme"}, "X-Tenant-Region": {"eu"}, "Cookie": {"a=1", "b=2"},
	"Connection": {"keep-alive"}, "Content-Length": {"17"}, "Host": {"shop.example"},
}

func TestRulesDecideWhatASubgraphGets(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules []RequestRule
		want  http.Header
	}{
		{"nothing by default", nil, nil},
		{"a header is passed on with all of its values", []RequestRule{{Propagate: "cookie"}}, http.Header{"Cookie": {"a=1", "b=2"}}},
		{"a header that the client has not sent is left out", []RequestRule{{Propagate: "X-None"}}, http.Header{}},
		{"or has a default", []RequestRule{{Propagate: "X-None", Default: "d"}}, http.Header{"X-None": {"d"}}},
		{"a header gets another name", []RequestRule{{Propagate: "X-Tenant", Rename: "X-Org"}}, http.Header{"X-Org": {"acme"}}},
		{"names match a pattern as a whole", []RequestRule{{PropagateMatching: "x-tenant"}}, http.Header{"X-Tenant": {"acme"}}},
		{"a pattern never takes what belongs to the connection", []RequestRule{{PropagateMatching: ".*"}}, http.Header{
			"Authorization": {"Bearer T"}, "X-Tenant": {"acme"}, "X-Tenant-Region": {"eu"}, "Cookie": {"a=1", "b=2"},
		}},
		{"what an earlier rule took, a later one removes", []RequestRule{{PropagateMatching: "x-.*"}, {Remove: "x-tenant-region"}}, http.Header{"X-Tenant": {"acme"}}},
		{"a fixed value replaces the client's", []RequestRule{{Propagate: "X-Tenant"}, {Insert: "X-Tenant", Value: "ours"}}, http.Header{"X-Tenant": {"ours"}}},
		{"a value is taken from the request", []RequestRule{{Insert: "X-User", From: "claim.sub"}}, http.Header{"X-User": {"u1"}}},
		{"but left out if there is none", []RequestRule{{Insert: "X-User", From: "claim.none"}}, http.Header{}},
		{"or if it would break the header", []RequestRule{{Insert: "X-User", From: "claim.evil"}}, http.Header{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := New(Config{All: Rules{Request: test.rules}}, []string{"a"})
			if err != nil {
				t.Fatal(err)
			}
			var got http.Header
			if list := p.Request(client, facts{"claim.sub": "u1", "claim.evil": "u1\r\nX-Admin: yes"}); list != nil {
				got = list[0]
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestASubgraphsOwnRulesComeAfterThoseForAll(t *testing.T) {
	p, err := New(Config{
		All:       Rules{Request: []RequestRule{{Propagate: "Authorization"}}},
		Subgraphs: map[string]Rules{"b": {Request: []RequestRule{{Remove: "Authorization"}, {Propagate: "X-Tenant"}}}},
	}, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	token, tenant := http.Header{"Authorization": {"Bearer T"}}, http.Header{"X-Tenant": {"acme"}}
	if diff := cmp.Diff([]http.Header{token, tenant, token}, p.Request(client, facts{})); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersHeadersMergeByTheirRule(t *testing.T) {
	answers := []http.Header{
		{"Set-Cookie": {"a=1", "b=2"}, "X-Trace": {"1"}, "Cache-Control": {"public, max-age=60"}, "Content-Length": {"3"}},
		{"Set-Cookie": {"c=3"}, "X-Trace": {"2"}, "Cache-Control": {"max-age=30, private"}},
	}
	for _, test := range []struct {
		name  string
		rules []ResponseRule
		want  http.Header
	}{
		{"every cookie comes through", []ResponseRule{{Propagate: "Set-Cookie"}}, http.Header{"Set-Cookie": {"a=1", "b=2", "c=3"}}},
		{"the last one wins otherwise", []ResponseRule{{Propagate: "X-Trace"}}, http.Header{"X-Trace": {"2"}}},
		{"or the first one", []ResponseRule{{Propagate: "X-Trace", Merge: "first", Rename: "Trace"}}, http.Header{"Trace": {"1"}}},
		{"the strictest Cache-Control counts", []ResponseRule{{Propagate: "Cache-Control"}}, http.Header{"Cache-Control": {"private, max-age=30"}}},
		{"a pattern never takes what belongs to the connection", []ResponseRule{{PropagateMatching: "x-.*|content-length"}}, http.Header{"X-Trace": {"2"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := New(Config{All: Rules{Response: test.rules}}, []string{"a", "b"})
			if err != nil {
				t.Fatal(err)
			}
			r := p.Response()
			for i, header := range answers {
				r.Add(i, header, false)
			}
			if diff := cmp.Diff(test.want, r.Header(false)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingIsCachedThatOneSubgraphDoesNotAllow(t *testing.T) {
	cacheable := http.Header{"Cache-Control": {"max-age=60"}}
	for _, test := range []struct {
		name   string
		second http.Header
		failed bool
		errors bool
		want   string
	}{
		{"both allow it", http.Header{"Cache-Control": {"max-age=10, s-maxage=90"}}, false, false, "public, max-age=10"},
		{"one says nothing", http.Header{}, false, false, "no-store"},
		{"one forbids it", http.Header{"Cache-Control": {"no-store"}}, false, false, "no-store"},
		{"one wants to be asked", http.Header{"Cache-Control": {"no-cache"}}, false, false, "public, no-cache"},
		{"one did not answer", nil, true, false, "no-store"},
		{"the response has errors", cacheable, false, true, "no-store"},
		{"an age that is none", http.Header{"Cache-Control": {"max-age=soon"}}, false, false, "no-store"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := New(Config{All: Rules{Response: []ResponseRule{{Propagate: "cache-control"}}}}, []string{"a", "b"})
			if err != nil {
				t.Fatal(err)
			}
			r := p.Response()
			r.Add(0, cacheable, false)
			r.Add(1, test.second, test.failed)
			if got := r.Header(test.errors).Get("Cache-Control"); got != test.want {
				t.Errorf("Cache-Control = %q, want %q", got, test.want)
			}
		})
	}
}

func TestRulesThatCannotWorkAreRefusedAllAtOnce(t *testing.T) {
	_, err := New(Config{
		All: Rules{
			Request: []RequestRule{
				{},
				{Propagate: "a", Insert: "b", Value: "c"},
				{Insert: "x"},
				{Insert: "x", From: "moon"},
				{PropagateMatching: "("},
				{Propagate: "Content-Length"},
				{Propagate: "no name"},
				{Remove: "x", Value: "y"},
				{Insert: "x", Value: "a\nb"},
			},
			Response: []ResponseRule{{}, {Propagate: "x", Merge: "sum"}, {Propagate: "x", Merge: "most_restrictive"}},
		},
		Subgraphs: map[string]Rules{"gone": {}},
	}, []string{"a"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`there is no subgraph "gone"`, "headers.all.request[0]: expected one of propagate", "request[1]", "request[2]: insert: expected value or from",
		`"moon" is none of`, "request[4]: propagate_matching", "request[5]: the header Content-Length", `"no name" is no header name`,
		"request[7]", "request[8]: a header's value", "response[0]", `merge: "sum"`, "response[2]: merge: most_restrictive is for",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in\n%v", want, err)
		}
	}
}
