package plan

import "strings"

// Explanation is a plan for programs: what each fetch asks, what it waits for, and why it is there.
type Explanation struct {
	// Operation is query, mutation or subscription.
	Operation string `json:"operation"`
	// Requests counts the fetches, those that the router answers itself included; Depth is the longest chain.
	Requests int `json:"requests"`
	Depth    int `json:"depth"`
	// Fetches are in the order of their IDs.
	Fetches []ExplainedFetch `json:"fetches"`
	// Deferred are the fragments that are delivered later.
	Deferred []ExplainedDeferred `json:"deferred,omitempty"`
}

// ExplainedDeferred is a fragment with @defer at one place.
type ExplainedDeferred struct {
	Label string `json:"label,omitempty"`
	Path  string `json:"path"`
	// Parent is the index of the fragment that is delivered before; -1 for the first part of the answer.
	Parent int `json:"parent"`
	// Fetches are the IDs of those that it waits for.
	Fetches []int `json:"fetches"`
}

// ExplainedFetch is one request.
type ExplainedFetch struct {
	ID int `json:"id"`
	// Subgraph is the subgraph's name; empty for introspection, which the router answers itself.
	Subgraph string `json:"subgraph,omitempty"`
	// Query is the operation's text as sent.
	Query string `json:"query"`
	// DependsOn are the IDs of the fetches that must have ended before.
	DependsOn []int `json:"dependsOn"`
	// Deferred says that the first part of the answer doesn't wait for it.
	Deferred bool `json:"deferred,omitempty"`
	// Path is where the root fields are asked, if not at the root.
	Path string `json:"path,omitempty"`
	// Entities are the _entities fields.
	Entities []ExplainedEntities `json:"entities,omitempty"`
	// Contexts are the names of the variables that take their values from further up: the request is repeated for
	// each combination of their values.
	Contexts []string `json:"contexts,omitempty"`
	// Variables are the names of the client's variables and lifted literals that are sent.
	Variables []string `json:"variables,omitempty"`
	// Reasons say which fields of the operation, and which requires, the fetch serves.
	Reasons []string `json:"reasons,omitempty"`
}

// ExplainedEntities is one _entities field: the places whose objects are sent, with @ for each level of lists,
// and what represents them.
type ExplainedEntities struct {
	Paths           []string `json:"paths"`
	Representations []string `json:"representations"`
}

// Explain describes the plan for programs.
func (p *Plan) Explain() Explanation {
	out := Explanation{
		Operation: [...]string{"query", "mutation", "subscription"}[p.Kind],
		Requests:  len(p.Fetches), Fetches: make([]ExplainedFetch, len(p.Fetches)),
	}
	depths := make([]int, len(p.Fetches))
	for i, f := range p.Fetches {
		for _, d := range f.DependsOn {
			depths[i] = max(depths[i], depths[d])
		}
		depths[i]++
		out.Depth = max(out.Depth, depths[i])
		out.Fetches[i] = p.explain(f)
	}
	for _, d := range p.Deferred {
		w := &writer{plan: p}
		out.Deferred = append(out.Deferred, ExplainedDeferred{d.Label, w.path(d.Path), d.Parent, append([]int{}, d.Fetches...)})
	}
	return out
}

func (p *Plan) explain(f *Fetch) ExplainedFetch {
	w := &writer{plan: p}
	out := ExplainedFetch{ID: f.ID, Query: f.Query, DependsOn: append([]int{}, f.DependsOn...), Deferred: f.Deferred, Reasons: f.Reasons}
	if f.Subgraph >= 0 {
		out.Subgraph = p.Supergraph.Subgraphs[f.Subgraph].Name
	}
	if f.Root != nil {
		out.Path = w.path(f.Root.Path)
	}
	for _, v := range f.Variables {
		out.Variables = append(out.Variables, v.Name)
	}
	for _, c := range f.Contexts {
		out.Contexts = append(out.Contexts, c.Name)
	}
	for _, e := range f.Entities {
		var x ExplainedEntities
		for _, t := range e.Targets {
			x.Paths = append(x.Paths, w.path(t.Path))
		}
		for i, r := range e.Representations {
			name := r.TypeName
			if name == "" {
				name = w.types(r.Types)
			}
			x.Representations = append(x.Representations, name+" { "+fieldsText(e.Targets[0].Representations[i])+" }")
		}
		out.Entities = append(out.Entities, x)
	}
	return out
}

// fieldsText writes a representation on one line.
func fieldsText(fields []RepresentationField) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name
		if len(f.Fields) > 0 {
			parts[i] += " { " + fieldsText(f.Fields) + " }"
		}
	}
	return strings.Join(parts, " ")
}
