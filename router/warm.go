package router

import (
	"context"

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
			if _, err := g.plans.get(ctx, planKey{selected, variant}, func() (*planned, error) {
				return r.plan(ctx, g, selected, variant)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
