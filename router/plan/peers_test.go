package plan_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/plan"
)

var peers = flag.String("peers", "", "file to write plans to, for tools/plandiff")

// peerPlan is a line of what tools/plandiff reads: a supergraph, or an operation on the last one.
type peerPlan struct {
	Case       string   `json:"case"`
	Supergraph string   `json:"supergraph,omitempty"`
	Labels     []string `json:"labels,omitempty"`
	Query      string   `json:"query,omitempty"`
	// Variables are coerced: those with defaults have them.
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
	// Requests is how many requests the plan makes, and Depth how many of them wait for each other.
	Requests int    `json:"requests"`
	Depth    int    `json:"depth"`
	Plan     string `json:"plan,omitempty"`
}

// TestPlansForPeers writes the plans of the golden operations, and of random ones on random supergraphs, so that they can
// be held against those of other planners.
func TestPlansForPeers(t *testing.T) {
	if *peers == "" {
		t.Skip("-peers names no file")
	}
	file, err := os.Create(*peers)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	out := bufio.NewWriter(file)
	defer func() { _ = out.Flush() }()
	write := json.NewEncoder(out)
	goldens, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range goldens {
		g := readGolden(t, path)
		o := newOracle(g.sg, ownSchemas(t, g), g.labels)
		o.refuses = true
		_ = write.Encode(peerPlan{Case: filepath.Base(path), Supergraph: g.sdl, Labels: switchedOn(g.labels)})
		for _, name := range g.names {
			o.writePlan(write, name, request{query: g.file(name + ".graphql"), variables: cmp.Or(g.file(name+".variables"), "{}")})
		}
	}
	for next, composed := *seed, 0; composed < *count; next++ {
		c := newCase(next)
		o, err := c.oracle()
		if err != nil || o == nil {
			continue
		}
		composed++
		result, _ := compose.Compose(c.subgraphs, compose.Config{})
		_ = write.Encode(peerPlan{Case: "random", Supergraph: result.SDL, Labels: switchedOn(c.labels)})
		for i := range *requests {
			c.draw(o, i)
			o.writePlan(write, "", c.request)
		}
	}
}

// writePlan writes how an operation is planned; none that has deferred fragments, which others count differently.
func (o *oracle) writePlan(write *json.Encoder, name string, r request) {
	p, values, _ := o.plan(r)
	if p == nil || strings.Contains(r.query, "@defer") {
		return
	}
	line := peerPlan{Case: name, Query: r.query, Variables: map[string]json.RawMessage{}, Requests: requestsOf(p), Plan: p.String()}
	for i, v := range p.Variables {
		if v.Literal == nil && i < len(values) && len(values[i]) > 0 {
			line.Variables[v.Name] = values[i]
		}
	}
	depths := make([]int, len(p.Fetches))
	for i, f := range p.Fetches {
		for _, d := range f.DependsOn {
			depths[i] = max(depths[i], depths[d])
		}
		if f.Subgraph != plan.Introspection {
			depths[i]++
		}
		line.Depth = max(line.Depth, depths[i])
	}
	_ = write.Encode(line)
}

// requestsOf counts the requests to subgraphs.
func requestsOf(p *plan.Plan) int {
	n := 0
	for _, f := range p.Fetches {
		if f.Subgraph != plan.Introspection {
			n++
		}
	}
	return n
}

func switchedOn(labels map[string]bool) []string {
	var on []string
	for label, is := range labels {
		if is {
			on = append(on, label)
		}
	}
	return on
}
