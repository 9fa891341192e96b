package rawjson

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWalkYieldsMembersAndElements(t *testing.T) {
	var got []string
	for key, value := range Members([]byte(` {"a" : 1 ,"b\"":[ {"c":"]"} , 2], "d":"x\\" }`)[1:]) {
		got = append(got, string(Text(key))+"="+string(value))
	}
	if diff := cmp.Diff([]string{"a=1", `b"=[ {"c":"]"} , 2]`, `d="x\\"`}, got); diff != "" {
		t.Errorf("Members (-want +got):\n%s", diff)
	}
	got = nil
	for value := range Elements([]byte(`[1, "a,b" ,[],{"x":[null]} , true]`)) {
		got = append(got, string(value))
	}
	if diff := cmp.Diff([]string{"1", `"a,b"`, "[]", `{"x":[null]}`, "true"}, got); diff != "" {
		t.Errorf("Elements (-want +got):\n%s", diff)
	}
}

func TestInspectPrintsAsGraphQLJSDoes(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`: "{}", `[]`: "[]", `{"a":1,"b":"x"}`: `{ a: 1, b: "x" }`, `[1,[2,[3,[4]]]]`: "[1, [2, [3, [Array]]]]",
		`{"a":{"b":{"c":{"d":1}}}}`: "{ a: { b: { c: [Object] } } }", `[1,2,3,4,5,6,7,8,9,10,11]`: "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ... more items]",
		`null`: "null", `"` + strings.Repeat("é", 200) + `"`: `"` + strings.Repeat("é", 99) + "...",
	} {
		if got := Inspect([]byte(raw)); got != want {
			t.Errorf("Inspect(%s) = %s, want %s", raw, got, want)
		}
	}
}

// FuzzWalk checks on valid JSON that putting together what was walked gives the same value, and on any other
// that nothing panics.
func FuzzWalk(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\"",{"b":null}],"c":-1.5e3}`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = Trim(raw)
		again := rebuild(raw, 0)
		_ = Inspect(raw)
		if !Valid(raw) {
			return
		}
		var want, got bytes.Buffer
		if err := json.Compact(&want, raw); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&got, again); err != nil {
			t.Fatalf("walking %q gave %q: %v", raw, again, err)
		}
		if want.String() != got.String() {
			t.Fatalf("walking %q gave %q", want.String(), got.String())
		}
	})
}

func rebuild(raw []byte, depth int) []byte {
	if depth > 100 {
		return raw
	}
	var out []byte
	switch Kind(raw) {
	case '{':
		out = append(out, '{')
		for key, value := range Members(raw) {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(append(out, '"'), key...), '"', ':')
			out = append(out, rebuild(value, depth+1)...)
		}
		return append(out, '}')
	case '[':
		out = append(out, '[')
		for value := range Elements(raw) {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(out, rebuild(value, depth+1)...)
		}
		return append(out, ']')
	}
	return raw
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x00\xffé")
	f.Fuzz(func(t *testing.T, s string) {
		library, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		if err := json.Unmarshal(library, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil || got != want {
			t.Fatalf("AppendString(%q) = %s, %v, want %s", s, AppendString(nil, s), err, library)
		}
	})
}
