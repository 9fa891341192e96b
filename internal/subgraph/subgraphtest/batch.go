// Package subgraphtest says what every subgraph has to do, as tests that each of them runs.
package subgraphtest

import (
	"encoding/json"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/subgraph"
)

// Batch is references to one type of entity.
type Batch struct {
	// References are different ones, of things that are there.
	References []map[string]any
	// Selection is what is asked of each.
	Selection string
	// Statements is how many a batch takes: 0 for a type of which nothing is asked that is stored.
	Statements int64
}

// batchSize is how many references are sent at once.
const batchSize = 100

// Batches sends many references to each type that the subgraph resolves, each batch in a request of its own, and checks
// that all are answered and how many statements it took. None of its types may be left out.
func Batches(t *testing.T, c *subgraph.Client, reads *atomic.Int64, batches map[string]Batch) {
	t.Helper()
	var schema struct {
		Type struct {
			PossibleTypes []struct{ Name string }
		} `json:"__type"`
	}
	if err := c.Do(t.Context(), `{ __type(name: "_Entity") { possibleTypes { name } } }`, nil, &schema); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, entity := range schema.Type.PossibleTypes {
		types = append(types, entity.Name)
	}
	slices.Sort(types)
	tried := slices.Sorted(maps.Keys(batches))
	if diff := cmp.Diff(types, tried); diff != "" {
		t.Errorf("the types that it resolves (-) and those that are tried (+):\n%s", diff)
	}
	for _, name := range tried {
		b := batches[name]
		references := make([]map[string]any, batchSize)
		for i := range references {
			references[i] = maps.Clone(b.References[i%len(b.References)])
			references[i]["__typename"] = name
		}
		var answer struct {
			Entities []json.RawMessage `json:"_entities"`
		}
		before := reads.Load()
		query := `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ` + name + ` { ` + b.Selection + ` } } }`
		if err := c.Do(t.Context(), query, map[string]any{"r": references}, &answer); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := reads.Load() - before; n != b.Statements {
			t.Errorf("%d references to %s { %s } took %d statements, want %d", batchSize, name, b.Selection, n, b.Statements)
		}
		for i, entity := range answer.Entities {
			if string(entity) == "null" {
				t.Fatalf("%s: reference %d of %v is not found", name, i, references[i])
			}
		}
	}
}
