package router

import (
	"context"
	"reflect"
	"time"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Warm plans the operations of a document before anybody sends it: for callers who may see nothing that is protected, and
// for those who may see all of it, with false for every @skip and @include by variable. It returns what is wrong with the document
// in the supergraph that is served now.
func (r *Router) Warm(ctx context.Context, text string) error {
	g := r.graph.Load()
	document, errs := g.documents.Document(text)
	if errs != nil {
		return errs
	}
	for _, selected := range document.Operations() {
		variants := []operation.Variant{selected.Variant(nil, nil)}
		if len(selected.Requirements) > 0 {
			variants = append(variants, selected.Variant(nil, func(*supergraph.Requirement) bool { return true }))
		}
		for _, variant := range variants {
			if err := r.warm(ctx, g, document, selected, variant); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Router) warm(ctx context.Context, g *graph, document *operation.Document, selected *operation.Selected, variant operation.Variant) error {
	_, err := g.plans.get(ctx, planKey{selected, variant}, func() (*planned, error) {
		return r.plan(ctx, g, document, selected, variant)
	})
	return err
}

const (
	// maxRewarmed and rewarmTime bound what a change of the supergraph waits for.
	maxRewarmed = 1000
	rewarmTime  = 2 * time.Second
)

// rewarm plans for a supergraph that is about to be served what was asked of late of the one before. Operations that
// don't fit it any more are left out, and so is what there is no time for.
func (r *Router) rewarm(before, next *graph) {
	ctx, cancel := context.WithTimeout(context.Background(), rewarmTime)
	defer cancel()
	for _, e := range before.plans.recent(maxRewarmed) {
		if ctx.Err() != nil {
			return
		}
		document, errs := next.documents.Document(e.value.text)
		if errs != nil {
			continue
		}
		selected, err := document.Operation(e.key.selected.Name)
		if err != nil || !reflect.DeepEqual(selected.Requirements, e.key.selected.Requirements) {
			continue
		}
		variant := e.key.variant
		variant.Overrides = overrides(variant.Overrides, before.supergraph, next.supergraph)
		_ = r.warm(ctx, next, document, selected, variant) // whoever sends it is told what is wrong with it
	}
}

// overrides are labels in force, by their numbers in another supergraph.
func overrides(set operation.Bits, in, as *supergraph.Supergraph) (out operation.Bits) {
	for i, label := range in.Labels() {
		for j, other := range as.Labels() {
			if label == other && set.Has(i) {
				out = out.With(j)
			}
		}
	}
	return out
}
