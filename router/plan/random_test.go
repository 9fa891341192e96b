package plan_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

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
	keep     = flag.String("keep", "", "folder for failing cases, as golden files: move one to testdata, then run the tests with -update")
)

// TestRandomSupergraphsAnswerLikeOneServer composes random subgraphs, executes random operations, and compares
// with one server that holds everything; then again with faults. A failure names its seed, which brings it back with
// -seed N -random 1, and is shrunk to a small case.
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
				c.shrink(d.kind).tell(t, i, d)
				failures++
				break
			}
		}
		if composed%500 == 0 {
			t.Logf("%d operations on %d supergraphs after seed %d, %v", asked, composed, next, time.Since(start).Round(time.Second))
		}
	}
	t.Logf("%d operations on %d supergraphs, of %d tried, in %v", asked, composed, next-*seed, time.Since(start).Round(time.Second))
}

// randomCase is a supergraph with an operation, and what goes wrong.
type randomCase struct {
	seed      uint64
	subgraphs []compose.Subgraph
	labels    map[string]bool
	request   request
	faults    *faults
}

func newCase(seed uint64) *randomCase {
	// A draft has at most these two labels.
	labels := map[string]bool{"l0": seed&1 == 1, "l1": seed&2 == 2}
	return &randomCase{seed: seed, subgraphs: randomSubgraphs(seed), labels: labels}
}

// tell reports a case that fails, and keeps it. It may not fail again if it takes a certain order of answers.
func (c *randomCase) tell(t *testing.T, number int, first *difference) {
	d, _ := c.run()
	if d == nil {
		d = first
	}
	t.Errorf("seed %d, operation %d: %s\n%s\n%s", c.seed, number, d.kind, c, d.detail)
	if *keep == "" {
		return
	}
	file := filepath.Join(*keep, fmt.Sprintf("seed_%d_%d.txtar", c.seed, number))
	if err := os.WriteFile(file, []byte(c.String()), 0o644); err != nil {
		t.Error(err)
	}
}

// String is the case as a golden file.
func (c *randomCase) String() string {
	a := &txtar.Archive{Comment: fmt.Appendf(nil, "Random supergraph %d.\n", c.seed)}
	add := func(name, data string) {
		if data != "" {
			a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
		}
	}
	for _, label := range []string{"l0", "l1"} {
		if c.labels[label] {
			a.Comment = fmt.Appendf(a.Comment, "label %s\n", label)
		}
	}
	for _, s := range c.subgraphs {
		add(s.Name+".subgraph", s.SDL)
	}
	add("broken.graphql", c.request.query)
	add("broken.variables", c.request.variables)
	if c.faults != nil {
		add("broken.faults", text(c.faults))
	}
	return string(txtar.Format(a))
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
	return newOracle(sg, schemas, c.labels), nil
}

// draw chooses the operation with the number: every third one with faults.
func (c *randomCase) draw(o *oracle, number int) {
	r := rand.New(rand.NewPCG(c.seed, uint64(number)))
	c.request = (&generator{Rand: r, schema: o.sg.API}).request()
	c.faults = nil
	name := fmt.Sprint(c.seed, number)
	switch number % 6 {
	case 2:
		c.faults = &faults{Seed: name, Failing: 150, Harmless: true}
	case 5:
		f := &faults{Seed: name}
		*[]*int{&f.Failing, &f.Lying, &f.Misshapen, &f.Gone, &f.Renamed, &f.Refused, &f.Resized}[r.IntN(7)] = 150
		c.faults = f
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
