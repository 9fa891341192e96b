package plan_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

var (
	operations  = flag.Int("operations", 60, "random operations for each supergraph")
	supergraphs = flag.String("supergraphs", "testdata/*.txtar", "pattern of the files with supergraphs")
)

// TestAnswersEqualThoseOfOneServer plans and executes random operations over every golden supergraph, and
// compares with a server that holds all types and all data.
func TestAnswersEqualThoseOfOneServer(t *testing.T) {
	files, _ := filepath.Glob(*supergraphs)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, file)
			sg := g.sg
			o := newOracle(sg, ownSchemas(t, g), g.labels)
			o.refuses = strings.Contains(read(t, file), "\nerror: ")
			for _, name := range g.names {
				o.fault(g.faults(t, name))
				o.mustAgree(t, request{query: g.file(name + ".graphql"), variables: cmp.Or(g.file(name+".variables"), "{}")})
			}
			o.fault(nil)
			for seed := range *operations {
				r := rand.New(rand.NewPCG(uint64(seed), hashOf(name)))
				o.mustAgree(t, (&generator{Rand: r, schema: sg.API}).request())
			}
		})
	}
}

// ownSchemas are the schemas of the subgraphs of a golden file.
func ownSchemas(t *testing.T, g *goldenFile) []*ast.Schema {
	schemas := make([]*ast.Schema, len(g.sg.Subgraphs))
	for i := range schemas {
		var err error
		if schemas[i], err = subgraphSchema(g.sg, i); err != nil {
			t.Fatal(err)
		}
	}
	return schemas
}

// oracle compares the answers of planned and executed operations with those of one server.
type oracle struct {
	sg       *supergraph.Supergraph
	world    *world
	all      *service
	services []*service
	executor *execute.Executor
	// refuses says that the supergraph has operations that can't be planned.
	refuses bool
	// failed says that a deferred fragment of the last answer did.
	failed bool

	mu         sync.Mutex
	complaints []string
	done       [2][]string
}

// request is one operation with its variables, as JSON.
type request struct{ query, variables string }

// difference is how an answer differs from what it should be.
type difference struct{ kind, detail string }

func newOracle(sg *supergraph.Supergraph, schemas []*ast.Schema, labels map[string]bool) *oracle {
	o := &oracle{sg: sg, world: newWorld(sg, schemas, labels)}
	o.all = &service{world: o.world, graph: everything, schema: sg.API, complain: o.complain, done: &o.done[0]}
	var transports []transport.Transport
	for g := range sg.Subgraphs {
		s := &service{world: o.world, graph: g, schema: schemas[g], complain: o.complain, done: &o.done[1], mu: &o.mu}
		o.services = append(o.services, s)
		transports = append(transports, s)
	}
	o.all.mu = &o.mu
	o.executor = execute.New(execute.Config{Transports: transports, MaxErrors: 10000, SubgraphErrors: execute.ErrorPolicy{MaxPaths: 10000}})
	return o
}

func (o *oracle) complain(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.complaints = append(o.complaints, fmt.Sprintf(format, args...))
}

// fault sets what goes wrong from now on.
func (o *oracle) fault(f *faults) {
	o.all.faults = f
	o.world.loose = f != nil && !f.Harmless
	for _, s := range o.services {
		s.faults = f
	}
}

func (o *oracle) mustAgree(t *testing.T, r request) {
	t.Helper()
	if d, _ := o.compare(r); d != nil {
		t.Errorf("%s: %s\n%s\n%s", d.kind, r.query, r.variables, d.detail)
	}
}

// plan plans an operation; the plan is nil if the request is none that a router answers.
func (o *oracle) plan(r request) (*plan.Plan, [][]byte, *difference) {
	o.world.caller = caller(hashOf("caller", r.query))
	doc, errs := operation.Parse(o.sg, r.query, operation.Limits{})
	if len(errs) > 0 || strings.Contains(r.query, "__schema") {
		return nil, nil, nil
	}
	selected, err := doc.Operation("")
	if err != nil {
		return nil, nil, nil
	}
	values, err := selected.Coerce([]byte(r.variables))
	if err != nil {
		return nil, nil, nil
	}
	op, err := selected.Normalise(selected.Deferring(selected.Variant(values, o.world.caller.meets), values))
	if err != nil {
		return nil, nil, &difference{"normal form", err.Error()}
	}
	if turnedAway(op) {
		return nil, nil, nil
	}
	p, err := plan.Build(context.Background(), o.sg, op, plan.Config{Labels: o.world.labels})
	if err != nil && !o.refuses {
		return nil, nil, &difference{"unplannable", err.Error()}
	}
	if p != nil {
		if wrong := unsound(p); len(wrong) > 0 {
			return nil, nil, o.differ("unsound", p, strings.Join(wrong, "\n"))
		}
	}
	return p, values, nil
}
