package execute

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

var corpus = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `-`, `01`, `1.`, `1.5e+3`, `1e`, `.5`, `+1`, `1E-2`, `-12345678901234567890`,
	`""`, `"a"`, `"a`, `"\u00e9\n\/"`, `"\u12"`, `"\x"`, `"` + "\x01" + `"`, `"` + "\xff" + `"`, `"日本語の文字列です"`, `"\ud800"`,
	`"exactly7"`, `"12345678"`, `"123456789"`, `"1234567\""`, `"12345678\\"`, ` { "a" : [ 1 , 2 ] , "b" : { } } `,
	`{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `nul`, `truex`, `[[[[]]]]`, "\ufeff{}", "{\"a\":1}\x00",
	`{"a":{"c":"x"},"b":[{"c":null}],"\u0061":2}`, `{"a":1,"a":{"c":2}}`, "",
}

func FuzzScannerAcceptsExactlyJSON(f *testing.F) {
	for _, s := range corpus {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// Without room behind it, a read outside the buffer is a panic.
		b = bytes.Clone(b)[:len(b):len(b)]
		end := scanValue(b, skipSpace(b, 0), 9000)
		got := end >= 0 && skipSpace(b, end) == len(b)
		if want := json.Valid(b) && utf8.Valid(b); got != want {
			t.Fatalf("scan of %q = %v, want %v", b, got, want)
		}
	})
}

// fixed answers every fetch with the same bytes.
type fixed []byte

// Send answers a fetch.
func (f fixed) Send(context.Context, *transport.Request) (*transport.Response, error) {
	return &transport.Response{Status: 200, Body: f}, nil
}

// Subscribe is never called.
func (f fixed) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

func FuzzAnswersKeepTheirValues(f *testing.F) {
	p := parsePlan(f, `
supergraph a: A
fetch a {x y z}
output {x:Any y:Any z:Any}`)
	for _, s := range corpus {
		f.Add([]byte(s), []byte(`"x"`))
	}
	f.Fuzz(func(t *testing.T, x, z []byte) {
		if !json.Valid(x) || !json.Valid(z) || !utf8.Valid(x) || !utf8.Valid(z) {
			return
		}
		body := []byte(`{"data":{"z":` + string(z) + `,"other":` + string(x) + `,"x":` + string(x) + `}}`)
		body = body[:len(body):len(body)]
		resp := New(Config{Transports: []transport.Transport{fixed(body)}, MaxDepth: 9000}).
			Execute(t.Context(), p, &Request{})
		var got, want struct{ Data map[string]any }
		if err := decode(resp.Body, &got); err != nil {
			t.Fatalf("response %q: %v", resp.Body, err)
		}
		if err := decode(body, &want); err != nil {
			t.Fatal(err)
		}
		delete(want.Data, "other")
		want.Data["y"] = nil
		if !reflect.DeepEqual(got.Data, want.Data) {
			t.Fatalf("answer %q gave %q", body, resp.Body)
		}
		resp.Release()
	})
}

func FuzzAnyAnswerGivesAResponse(f *testing.F) {
	p := parsePlan(f, fuzzedPlan)
	for _, s := range corpus {
		f.Add([]byte(s))
		f.Add([]byte(`{"data":` + s + `}`))
		f.Add([]byte(`{"errors":` + s + `,"data":{"e0":[` + s + `]}}`))
		f.Add([]byte(`{"data":{"me":` + s + `,"top":[` + s + `]}}`))
	}
	f.Add([]byte(`{"data":{"me":{"__typename":"User","id":1,"reviews":[{"product":{"upc":2}}]},"e0":[{"reviews":[{"product":{"upc":2}}]}]},"errors":[{"message":"m","path":["e0",0,"reviews",0,"body"],"extensions":{}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) { respond(t, p, b[:len(b):len(b)]) })
}

// decode keeps numbers as they are written: some that are valid fit no float.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

const fuzzedPlan = `
supergraph a: User Review Product
fetch a {me{__typename _id=id name} top{__typename _upc=upc}}
fetch a after 0
entities
represent User as User
at me {id=_id*} {reviews{__typename body product{__typename _upc=upc}}}
fetch a after 1
entities
represent Product as Product
at me.reviews.product {upc=_upc*} {name dims{w}}
at top {upc=_upc*} {name dims{w}}
output {me:<User>{name:String reviews:[<Review>{body:String! product:<Product>{name:[[Int!]]! dims:<>{w:Float!}}}!]} top:[<Product>{name:ID!}]}
`

func respond(t *testing.T, p *plan.Plan, answer []byte) {
	x := New(Config{Transports: []transport.Transport{fixed(answer)}, MaxDepth: 50})
	resp := x.Execute(t.Context(), p, &Request{})
	if !json.Valid(resp.Body) || !utf8.Valid(resp.Body) {
		t.Fatalf("answer %q gave %q", answer, resp.Body)
	}
	var parsed struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(resp.Body, &parsed); err != nil || len(parsed.Errors) != resp.Errors {
		t.Fatalf("response %q: %d errors, %v", resp.Body, resp.Errors, err)
	}
	resp.Release()
}
