package operation

import (
	"strings"
	"testing"
)

const benchQuery = `query Page($id: ID = "1", $upper: Boolean!, $after: ID) {
  dog { ...D mother { ...D mother { ...D } } }
  pets(first: 10, after: $after) { named: name(upper: $upper) next { name ... on Dog { barks age } ... on Cat { meows } } ... on Dog { ...D } }
  catOrDog { ... on Pet { name next { name } } ... on Cat { weight2: weight } }
  in(id: $id, i: 3, o: {need: 1, list: ["a", "b"]}, l: [1, 2, 3])
}
fragment D on Dog { name barks @include(if: $upper) age weight knows(command: SIT) }`

func BenchmarkParse(b *testing.B) {
	sg := petGraph(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Parse(sg, benchQuery, Limits{}); errs != nil {
			b.Fatal(errs)
		}
	}
}

func BenchmarkCacheHit(b *testing.B) {
	c := NewCache(petGraph(b), Limits{}, 0)
	if _, errs := c.Document(benchQuery); errs != nil {
		b.Fatal(errs)
	}
	text := strings.Clone(benchQuery)
	b.ReportAllocs()
	for b.Loop() {
		c.Document(text)
	}
}

func benchSelected(b *testing.B) *Selected {
	doc, errs := Parse(petGraph(b), benchQuery, Limits{})
	if errs != nil {
		b.Fatal(errs)
	}
	selected, err := doc.Operation("")
	if err != nil {
		b.Fatal(err)
	}
	return selected
}

func BenchmarkCoerceAndVariant(b *testing.B) {
	selected := benchSelected(b)
	variables := []byte(`{"id": 17, "upper": true, "after": "abc"}`)
	b.ReportAllocs()
	for b.Loop() {
		values, err := selected.Coerce(variables)
		if err != nil {
			b.Fatal(err)
		}
		selected.Variant(values, nil)
	}
}

func BenchmarkNormalise(b *testing.B) {
	selected := benchSelected(b)
	v := Variant{Conditions: Bits{}.With(0)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := selected.Normalise(v); err != nil {
			b.Fatal(err)
		}
	}
}
