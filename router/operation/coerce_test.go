package operation

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const inputSchema = `
type Query { f(a: Filter, c: Color, i: Int, n: Float, s: String, b: Boolean, id: ID, ids: [ID!], m: [[Int]], j: JSON, one: One, req: Int!, dflt: Int! = 3): Int }
enum Color { RED GREEN }
scalar JSON
input Filter { color: Color ids: [ID!] sub: Filter need: Int! limit: Int! = 5 json: JSON }
input One @oneOf { a: Int b: String sub: Filter }
`

func coerced(t *testing.T, typ, value string) string {
	t.Helper()
	doc, errs := Parse(load(t, inputSchema), `query($x: `+typ+`) { f(req: 1, `+argumentFor(typ)+`: $x) }`, Limits{})
	if errs != nil {
		t.Fatalf("Parse: %v", errs)
	}
	selected, err := doc.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	variables := ""
	if value != "" {
		variables = `{"x":` + value + `,"other":1}`
	}
	values, err := selected.Coerce([]byte(variables))
	switch {
	case err != nil:
		for _, e := range err.(Errors) {
			if e.Code != CodeInput {
				t.Errorf("code %q, want %q", e.Code, CodeInput)
			}
		}
		return messages(err.(Errors))
	case values[0] == nil:
		return "nothing"
	}
	return string(values[0])
}

func messages(errs Errors) string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Message)
	}
	return strings.Join(out, "\n")
}

func argumentFor(typ string) string {
	base, _, _ := strings.Cut(typ, " ")
	return map[string]string{
		"Filter": "a", "Filter!": "a", "Color": "c", "Int": "i", "Int!": "i", "Float": "n", "String": "s", "Boolean": "b", "ID": "id",
		"[ID!]": "ids", "[[Int]]": "m", "JSON": "j", "One": "one",
	}[base]
}

func TestCoerce(t *testing.T) {
	for _, c := range []struct{ name, typ, value, want string }{
		{"an absent variable has no value", "Int", "", "nothing"},
		{"an absent variable has its default", "Int = 4", "", "4"},
		{"null beats the default", "Int = 4", "null", "null"},
		{"a required variable must be there", "Int!", "", `Variable "$x" of required type "Int!" was not provided.`},
		{"a required variable must not be null", "Int!", "null", `Variable "$x" of non-null type "Int!" must not be null.`},
		{"the largest Int", "Int", "2147483647", "2147483647"},
		{"beyond Int", "Int", "2147483648", `Variable "$x" got invalid value 2147483648; Int cannot represent non 32-bit signed integer value: 2147483648`},
		{"far beyond Int", "Int", "1e400", `Variable "$x" got invalid value 1e400; Int cannot represent non 32-bit signed integer value: 1e400`},
		{"an Int in another notation", "Int", "1.5e1", "15"},
		{"a fraction is no Int", "Int", "1.5", `Variable "$x" got invalid value 1.5; Int cannot represent non-integer value: 1.5`},
		{"text is no Int", "Int", `"1"`, `Variable "$x" got invalid value "1"; Int cannot represent non-integer value: "1"`},
		{"digits of a Float stay", "Float", "1.50000000000000000001", "1.50000000000000000001"},
		{"an Int is a Float", "Float", "7", "7"},
		{"Infinity is no Float", "Float", "1e999", `Variable "$x" got invalid value 1e999; Float cannot represent non numeric value: 1e999`},
		{"a number is no String", "String", "1", `Variable "$x" got invalid value 1; String cannot represent a non string value: 1`},
		{"text is no Boolean", "Boolean", `"true"`, `Variable "$x" got invalid value "true"; Boolean cannot represent a non boolean value: "true"`},
		{"an ID from text", "ID", `"a\u0062"`, `"a\u0062"`},
		{"an ID from digits of any length", "ID", "12345678901234567890", `"12345678901234567890"`},
		{"an ID from 1e2", "ID", "1e2", `"100"`},
		{"a fraction is no ID", "ID", "1.5", `Variable "$x" got invalid value 1.5; ID cannot represent value: 1.5`},
		{"an enum value", "Color", `"RED"`, `"RED"`},
		{"an escaped enum value", "Color", `"\u0052ED"`, `"RED"`},
		{"an unknown enum value", "Color", `"RE"`, `Variable "$x" got invalid value "RE"; Value "RE" does not exist in "Color" enum. Did you mean the enum value "RED"?`},
		{"an enum value of another kind", "Color", `1`, `Variable "$x" got invalid value 1; Enum "Color" cannot represent non-string value: 1.`},
		{"a single value becomes a list", "[ID!]", `7`, `["7"]`},
		{"a single value becomes lists of lists", "[[Int]]", `7`, `[[7]]`},
		{"items become lists", "[[Int]]", `[1, [2, null], null]`, `[[1],[2,null],null]`},
		{"null in a list of non-null", "[ID!]", `["a", null]`, `Variable "$x" got invalid value null at "x[1]"; Expected non-nullable type "ID!" not to be null.`},
		{"any JSON for a custom scalar", "JSON", `{ "a": [1.0, "x"] }`, `{ "a": [1.0, "x"] }`},
		{"an enum value in the default of a custom scalar", "JSON = {a: RED}", "", `{"a":"RED"}`},
		{"an object", "Filter", `{"need": 1, "ids": 2, "color": "GREEN", "json": {"k":[]}}`, `{"color":"GREEN","ids":["2"],"need":1,"json":{"k":[]}}`},
		{"the last of two equal keys", "Filter", `{"need": 1, "need": 2}`, `{"need":2}`},
		{"a missing field", "Filter", `{"sub": {"need": 1}}`, `Variable "$x" got invalid value { sub: { need: 1 } }; Field "need" of required type "Int!" was not provided.`},
		{"an unknown field", "Filter", `{"need": 1, "idz": 1}`, `Variable "$x" got invalid value { need: 1, idz: 1 }; Field "idz" is not defined by type "Filter". Did you mean "ids"?`},
		{"an error deep inside", "Filter", `{"need": 1, "sub": {"need": 1, "ids": ["a", true]}}`, `Variable "$x" got invalid value true at "x.sub.ids[1]"; ID cannot represent value: true`},
		{"null for a field with a default", "Filter", `{"need": 1, "limit": null}`, `Variable "$x" got invalid value null at "x.limit"; Expected non-nullable type "Int!" not to be null.`},
		{"no object", "Filter", `[]`, `Variable "$x" got invalid value []; Expected type "Filter" to be an object.`},
		{"one of one", "One", `{"a": 1}`, `{"a":1}`},
		{"two of one", "One", `{"a": 1, "b": "x"}`, `Variable "$x" got invalid value { a: 1, b: "x" }; Exactly one key must be specified for OneOf type "One".`},
		{"none of one", "One", `{}`, `Variable "$x" got invalid value {}; Exactly one key must be specified for OneOf type "One".`},
		{"null of one", "One", `{"a": null}`, `Variable "$x" got invalid value null at "x.a"; Field "a" must be non-null.`},
		{"every error at once", "Filter", `{"color": 1, "ids": 1.5}`, `Variable "$x" got invalid value 1 at "x.color"; Enum "Color" cannot represent non-string value: 1.
Variable "$x" got invalid value 1.5 at "x.ids"; ID cannot represent value: 1.5
Variable "$x" got invalid value { color: 1, ids: 1.5 }; Field "need" of required type "Int!" was not provided.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, coerced(t, c.typ, c.value)); diff != "" {
				t.Errorf("Coerce(%s, %q) (-want +got):\n%s", c.typ, c.value, diff)
			}
		})
	}
}

func TestCoerceRefusesWhatIsNoObject(t *testing.T) {
	selected := selectedOf(t, inputSchema, `query($x: Int) { f(i: $x, req: 1) }`)
	for _, variables := range []string{`[]`, `{"x":1`, `{"x":}`, "{\"x\":\"\xff\"}", `1`, `{"x":1}{}`} {
		if _, err := selected.Coerce([]byte(variables)); err == nil {
			t.Errorf("Coerce(%q) took it", variables)
		}
	}
	for _, variables := range []string{``, `null`, ` {} `} {
		if _, err := selected.Coerce([]byte(variables)); err != nil {
			t.Errorf("Coerce(%q) = %v", variables, err)
		}
	}
}

// A nullable variable with a default may stand where null is forbidden; subgraphs then get a non-null variable.
func TestDefaultsMakeVariablesNonNull(t *testing.T) {
	selected := selectedOf(t, inputSchema, `query($x: Int = 1, $y: Int) { f(req: $x, dflt: $y) }`)
	if diff := cmp.Diff([]Variable{{Name: "x", Type: "Int!"}, {Name: "y", Type: "Int"}}, selected.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	_, err := selected.Coerce([]byte(`{"x":null}`))
	if want := `Variable "$x" of non-null type "Int!" must not be null.`; err == nil || messages(err.(Errors)) != want {
		t.Errorf("Coerce(null) = %v, want %s", err, want)
	}
}

func selectedOf(t testing.TB, sdl, query string) *Selected {
	t.Helper()
	doc, errs := Parse(load(t, sdl), query, Limits{})
	if errs != nil {
		t.Fatalf("Parse: %v", errs)
	}
	selected, err := doc.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	return selected
}

func FuzzCoerce(f *testing.F) {
	selected := selectedOf(f, inputSchema, `query($a: Filter, $c: Color, $i: Int, $n: Float, $s: String, $b: Boolean,
		$id: ID, $ids: [ID!], $m: [[Int]], $j: JSON, $one: One) {
		f(req: 1, a: $a, c: $c, i: $i, n: $n, s: $s, b: $b, id: $id, ids: $ids, m: $m, j: $j, one: $one) }`)
	f.Add([]byte(`{"a":{"need":1,"sub":{"need":2,"ids":[1,"2"]},"json":{"x":[{}]}},"c":"RED","i":1.0,"m":[[1],2]}`))
	f.Add([]byte(`{"one":{"b":"\u00e9"},"id":1e3,"n":-0.5e-3,"b":true,"s":"\"\\"}`))
	f.Fuzz(func(t *testing.T, variables []byte) {
		values, err := selected.Coerce(variables)
		if err != nil {
			return
		}
		// What came out is JSON, and comes out again unchanged.
		again := []byte{'{'}
		for i, value := range values {
			if value == nil {
				continue
			}
			if !json.Valid(value) {
				t.Fatalf("Coerce(%q): $%s = %q is no JSON", variables, selected.Variables[i].Name, value)
			}
			if len(again) > 1 {
				again = append(again, ',')
			}
			again = append(append(append(again, '"'), selected.Variables[i].Name...), `":`...)
			again = append(again, value...)
		}
		second, err := selected.Coerce(append(again, '}'))
		if err != nil {
			t.Fatalf("Coerce(%q) is not taken back: %v", variables, err)
		}
		for i := range values {
			if !bytes.Equal(values[i], second[i]) {
				t.Fatalf("Coerce(%q): $%s = %q, then %q", variables, selected.Variables[i].Name, values[i], second[i])
			}
		}
	})
}
