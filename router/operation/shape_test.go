package operation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func shapeOf(t *testing.T, query string) string {
	t.Helper()
	normal, err := selectedOf(t, generatedSchema, query).Normalise(Variant{})
	if err != nil {
		t.Fatal(err)
	}
	return string(normal.AppendShape(nil))
}

func TestShapesAreEqualForOperationsThatPlanTheSame(t *testing.T) {
	base := `{ i { a(n: 1) ... on A { y } } }`
	for _, same := range []string{
		`{ i { a(n: 2) ... on A { y } } }`, `{ i { ...F a(n: 7) } } fragment F on I { a(n: 7) ... on A { a(n: 7) ... on I { ... on A { y } } } }`,
	} {
		if shapeOf(t, base) != shapeOf(t, same) {
			t.Errorf("%s and %s have different shapes", base, same)
		}
	}
	for _, other := range []string{
		`{ i { a ... on A { y } } }`, `{ i { b: a(n: 1) ... on A { y } } }`, `{ i { a(n: 1) ... on B { z } } }`,
		`query Q { i { a(n: 1) ... on A { y } } }`, `{ i { ... on A { a(n: 1) y } } }`, `{ i { ... on A { y } a(n: 1) } }`,
	} {
		if base == other || shapeOf(t, base) == shapeOf(t, other) {
			t.Errorf("%s and %s have one shape", base, other)
		}
	}
}

func TestValuesOfARequestAreItsVariablesAndTheLiterals(t *testing.T) {
	selected := selectedOf(t, generatedSchema, `query($n: Int, $m: Int) { i { a(n: $n) b: a(n: 3) c: a(n: $m) } }`)
	coerced, err := selected.Coerce([]byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	normal, err := selected.Normalise(Variant{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, value := range normal.Values(coerced) {
		got = append(got, string(value))
	}
	if diff := cmp.Diff([]string{"1", "", "3"}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
