package manifest

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestManifestsAreReadInEveryFormat(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, source string
		want         []Document
	}{
		{
			"Apollo's, with a client and an end",
			`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","clientName":"web","name":"A","type":"query","body":"query A{a}","retireAt":"2026-11-23T00:00:00Z","more":1}]}`,
			[]Document{{ID: "1", Client: "web", Name: "A", Kind: "query", Text: "query A{a}", RetireAt: at}},
		},
		{"an object", `{"b":"mutation{b}","a":"query A{a}"}`, []Document{{ID: "b", Kind: "mutation", Text: "mutation{b}"}, {ID: "a", Name: "A", Kind: "query", Text: "query A{a}"}}},
		{"an object with an id called format", `{"format":"{a}"}`, []Document{{ID: "format", Kind: "query", Text: "{a}"}}},
		{"pairs", ` [["b","{b}"],["a","{"]]`, []Document{{ID: "b", Kind: "query", Text: "{b}"}, {ID: "a", Text: "{"}}},
		{"nothing", `{}`, []Document{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte(test.source))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			again, err := Parse(Format(got))
			if err != nil || string(Format(again)) != string(Format(got)) {
				t.Errorf("written and read again: %v, %v", again, err)
			}
		})
	}
}

func TestWhatIsNoManifestIsAnError(t *testing.T) {
	for source, want := range map[string]string{
		"":                           "empty",
		"7":                          "neither",
		`{"a":1}`:                    "neither",
		`[["a"]]`:                    "entry 0 of the list has 1 elements",
		`[{"a":"b"}]`:                "not of pairs",
		`{"":"{a}"}`:                 "no id",
		`[["a","{a}"],["a","{b}"]]`:  `"a" stands for two documents`,
		`{"format":"x","version":1}`: `format "x" version 1 is unknown`,
		`{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}`: "version 2 is unknown",
	} {
		if _, err := Parse([]byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %v, want %q in it", source, err, want)
		}
	}
}

func TestAFolderHoldsDocumentsAndManifests(t *testing.T) {
	folder := fstest.MapFS{
		"Products.graphql":  {Data: []byte("query Products{a}\n")},
		"shop/Cart.gql":     {Data: []byte("query Cart{a}")},
		"web.json":          {Data: []byte(`{"x":"{a}"}`)},
		".hidden/B.graphql": {Data: []byte("{")}, ".draft.json": {Data: []byte("{")}, "README.md": {Data: []byte("#")},
	}
	for naming, want := range map[Naming][]string{
		"": {
			"Products", SHA256("query Products{a}\n"), SHA256("query Products{a}"), "shop/Cart", SHA256("query Cart{a}"), "x",
		},
		NamedByFile:   {"Products", "shop/Cart", "x"},
		NamedBySHA256: {SHA256("query Products{a}\n"), SHA256("query Products{a}"), SHA256("query Cart{a}"), "x"},
	} {
		documents, err := Folder(folder, naming)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, d := range documents {
			ids = append(ids, d.ID)
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("naming %q: %s", naming, diff)
		}
	}
}

// The vectors are those of the specification's appendix on persisted documents.
func TestTheHashIsThatOfTheSpecification(t *testing.T) {
	for text, want := range map[string]string{
		"query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}": "7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e",
		"query($id:ID!){user(id:$id){name}}":                      "71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b",
	} {
		if got := SHA256(text); got != want {
			t.Errorf("SHA256(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestNormalFormsAreEqualForNotationsOnly(t *testing.T) {
	const base = `query A($x: Int = 1) { a(x: $x, s: "b\"c") { ...F } } fragment F on T { b } query B { b }`
	for _, same := range []string{
		"query B{b}\nquery A($x:Int=1){a(x:$x s:\"b\\\"c\"){...F}}fragment F on T{b}",
		"# a remark\nfragment F on T { b }\n" + `query A($x: Int = 1,) { a(x: $x, s: """b"c""") { ...F, } } query B { b: b }`,
	} {
		if got, want := normal(t, same), normal(t, base); got != want {
			t.Errorf("Normalise(%q) = %q, want %q", same, got, want)
		}
	}
	for _, other := range []string{
		strings.Replace(base, "= 1", "= 2", 1), strings.Replace(base, "{ b }", "{ c: b }", 1), strings.Replace(base, "query B", "mutation B", 1),
		strings.Replace(base, "...F", "...F @skip(if: true)", 1), strings.Replace(base, `b\"c`, "bc", 1), strings.Replace(base, "query B", "query C", 1),
	} {
		if normal(t, other) == normal(t, base) {
			t.Errorf("Normalise(%q) is that of %q", other, base)
		}
	}
}

func normal(t *testing.T, text string) string {
	t.Helper()
	form, err := Normalise(text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestPublishingNeverChangesWhatAnIDMeans(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	have := []Document{{ID: "a", Text: "{a}", RetireAt: now.Add(time.Hour)}, {ID: "gone", Text: "{g}", RetireAt: now}, {ID: "b", Text: "{b}"}}
	if _, _, err := Publish(have, []Document{{ID: "a", Text: "{c}"}}); err == nil {
		t.Error("the id a got another text")
	}
	all, added, err := Publish(have, []Document{{ID: "a", Text: "{a}"}, {ID: "a", Client: "web", Text: "{c}"}})
	if err != nil || added != 1 || len(all) != 4 || !all[0].RetireAt.IsZero() {
		t.Errorf("Publish = %v, %d, %v", all, added, err)
	}
	left, retired := Retire(have, now, now.Add(2*time.Hour), func(Document) bool { return true })
	want := []Document{{ID: "a", Text: "{a}", RetireAt: now.Add(time.Hour)}, {ID: "b", Text: "{b}", RetireAt: now.Add(2 * time.Hour)}}
	if diff := cmp.Diff(want, left); diff != "" || retired != 1 {
		t.Errorf("%d retired: %s", retired, diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"query","body":"query A{a}"}]}`,
		`{"952bc5d0":"query q {\n a }\n"}`, `[["1","{a}"]]`, `{"a":"{\"}"}`, `[[]]`, `{"a":"\ud800"}`, `{"format":null,"version":1}`, `{"a":"fragment F on T{...F}"}`,
		`{"a":"query Q($a:[Int!]!=[1,2]@d){a(o:{x:\"\\u0041\",y:\"\"\"b\"\"\"}) ... @include(if:$b){c}}"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		documents, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := Parse(Format(documents))
		if err != nil {
			t.Fatalf("%q can't be read again: %v", raw, err)
		}
		if diff := cmp.Diff(string(Format(documents)), string(Format(again))); diff != "" {
			t.Fatalf("%q changes: %s", raw, diff)
		}
		for _, d := range documents {
			form, err := Normalise(d.Text, 1000)
			if err != nil {
				continue
			}
			// What is compacted too far would mean something else.
			if twice, err := Normalise(form, 0); err != nil || twice != form {
				t.Fatalf("the normal form %q of %q has the normal form %q: %v", form, d.Text, twice, err)
			}
			_ = Introspects(d.Text, 1000)
		}
	})
}
