package plan_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/supergraph"
)

var (
	count    = flag.Int("random", 30, "random supergraphs to try")
	seed     = flag.Uint64("seed", 1, "seed of the first random supergraph")
	soak     = flag.Duration("soak", 0, "try random supergraphs for this long")
	requests = flag.Int("requests", 25, "random operations for each random supergraph")
	defers   = flag.Int("defers", 3, "one of how many random operations defers fragments")
	most     = flag.Int("failures", 3, "failures after which to stop")
)

// TestRandomSupergraphsAnswerLikeOneServer composes random subgraphs, executes random operations, and compares
// with one server that holds everything; then again with faults. A failure names its seed, and is shrunk to a
// small case.
func TestRandomSupergraphsAnswerLikeOneServer(t *testing.T) {
	start := time.Now()
	composed, asked, failures := 0, 0, 0
	next := *seed
	for ; failures < *most && (composed < *count && *soak == 0 || time.Since(start) < *soak); next++ {
		c := newCase(next)
		o, err := c.oracle()
		if err != nil {
			t.Errorf("seed %d: %v", next, err)
			failures++
			continue
		}
		if o == nil {
			continue
		}
		composed++
		for i := range *requests {
			c.draw(o, i)
			d, valid := c.ask(o)
			if valid {
				asked++
			}
			if d != nil {
				small := c.shrink(d.kind)
				d, _ = small.run()
				t.Errorf("seed %d, operation %d: %s\n%s\n%s", next, i, d.kind, small, d.detail)
				failures++
				break
			}
		}
	}
	t.Logf("%d operations on %d supergraphs, of %d tried, in %v", asked, composed, next-*seed, time.Since(start).Round(time.Second))
}

// randomCase is a supergraph with an operation, and what goes wrong.
type randomCase struct {
	seed      uint64
	subgraphs []compose.Subgraph
	request   request
	faults    *faults
}

func newCase(seed uint64) *randomCase {
	return &randomCase{seed: seed, subgraphs: randomSubgraphs(seed)}
}

func (c *randomCase) String() string {
	out := ""
	for _, s := range c.subgraphs {
		out += "-- " + s.Name + ".subgraph --\n" + s.SDL
	}
	out += "-- query.graphql --\n" + c.request.query + "\n-- variables --\n" + c.request.variables + "\n"
	if c.faults != nil {
		out += fmt.Sprintf("-- faults --\n%+v\n", *c.faults)
	}
	return out
}

// oracle composes the subgraphs; nil if they don't compose.
func (c *randomCase) oracle() (*oracle, error) {
	result, errs := compose.Compose(c.subgraphs, compose.Config{})
	if len(errs) > 0 {
		return nil, nil
	}
	sg, err := supergraph.Load(result.SDL)
	if err != nil {
		return nil, fmt.Errorf("load: %w\n%s", err, result.SDL)
	}
	schemas := make([]*ast.Schema, len(sg.Subgraphs))
	for g := range sg.Subgraphs {
		for _, s := range c.subgraphs {
			if s.Name == sg.Subgraphs[g].Name {
				if schemas[g], err = ownSchema(s.SDL); err != nil {
					return nil, fmt.Errorf("subgraph %s: %w", s.Name, err)
				}
			}
		}
	}
	labels := map[string]bool{}
	for i, label := range sg.Labels() {
		labels[label] = c.seed>>i&1 == 1
	}
	return newOracle(sg, schemas, labels), nil
}

// draw chooses the operation with the number: every third one with faults.
func (c *randomCase) draw(o *oracle, number int) {
	r := rand.New(rand.NewPCG(c.seed, uint64(number)))
	c.request = (&generator{Rand: r, schema: o.sg.API}).request()
	c.faults = nil
	name := fmt.Sprint(c.seed, number)
	switch number % 6 {
	case 2:
		c.faults = &faults{seed: name, failing: 150, harmless: true}
	case 5:
		c.faults = &faults{seed: name}
		*[]*int{&c.faults.failing, &c.faults.lying, &c.faults.gone, &c.faults.refused}[r.IntN(4)] = 150
	}
}

func (c *randomCase) ask(o *oracle) (d *difference, valid bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case ill:
			d, valid = nil, false
		default:
			d = &difference{"panic", fmt.Sprint(p, "\n", string(debug.Stack()))}
		}
	}()
	o.fault(c.faults)
	o.world.panicked = nil
	d, valid = o.compare(c.request)
	if o.world.panicked != nil {
		panic(o.world.panicked)
	}
	return d, valid
}

// run is ask on subgraphs that are composed for it; nil also if they don't compose.
func (c *randomCase) run() (*difference, bool) {
	o, err := c.oracle()
	if err != nil || o == nil {
		return nil, false
	}
	return c.ask(o)
}
