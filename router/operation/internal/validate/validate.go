// Package validate checks a GraphQL document against a schema by the rules of the specification
// (https://spec.graphql.org/draft/#sec-Validation), a rule a file.
//
// In come a schema and a parsed document; out come errors, and the document with its fields, arguments and
// fragments resolved to their definitions. The document is read once (index.go); every rule is a loop over
// what that found. Each fragment is read once as well, not once for each operation and fragment that spreads
// it, so that checking is linear in the text but for two things that are bounded otherwise: variables are
// checked for each operation and the fragments that it reaches, and MergeFields has a budget.
//
// gqlparser's own rules are not used: they report an error in a fragment once per spread, take quadratic time
// on chains of fragments, and let literals pass that are outside of Int or objects where there are no fields.
package validate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Config says how a document is validated.
type Config struct {
	// MaxErrors bounds the errors returned. Zero means no limit.
	MaxErrors int
	// HideSuggestions leaves "Did you mean" out of messages.
	HideSuggestions bool
}

// rules are all that Document checks. Their order decides nothing: errors are sorted by location.
var rules = []func(*document){
	uniqueOperationNames,
	loneAnonymousOperation,
	knownOperationTypes,
	singleFieldSubscriptions,
	knownTypeNames,
	fragmentsOnCompositeTypes,
	variablesAreInputTypes,
	scalarLeafs,
	fieldsOnCorrectType,
	uniqueFragmentNames,
	knownFragmentNames,
	noUnusedFragments,
	possibleFragmentSpreads,
	noFragmentCycles,
	uniqueVariableNames,
	noUndefinedVariables,
	noUnusedVariables,
	knownDirectives,
	uniqueDirectivesPerLocation,
	knownArgumentNames,
	uniqueArgumentNames,
	valuesOfCorrectType,
	providedRequiredArguments,
	variablesInAllowedPosition,
	oneOfVariables,
	uniqueInputFieldNames,
	maxIntrospectionDepth,
	deferLabels,
	deferOnRootFields,
	deferInOperations,
}

// Document checks every rule but that of fields that merge, and resolves the document's nodes. Errors stand in
// the order of the text.
func Document(api *ast.Schema, doc *ast.QueryDocument, config Config) gqlerror.List {
	d := index(api, doc)
	d.config = config
	for _, rule := range rules {
		rule(d)
	}
	return d.result()
}

// report adds an error; its locations are those of the positions.
func (d *document) report(at []*ast.Position, format string, args ...any) {
	e := &gqlerror.Error{Message: fmt.Sprintf(format, args...)}
	for _, p := range at {
		if p != nil {
			e.Locations = append(e.Locations, gqlerror.Location{Line: p.Line, Column: p.Column})
		}
	}
	d.errors = append(d.errors, e)
}

func at(positions ...*ast.Position) []*ast.Position { return positions }

func (d *document) result() gqlerror.List {
	slices.SortStableFunc(d.errors, func(a, b *gqlerror.Error) int {
		if len(a.Locations) == 0 || len(b.Locations) == 0 {
			return len(a.Locations) - len(b.Locations)
		}
		return cmp.Or(cmp.Compare(a.Locations[0].Line, b.Locations[0].Line),
			cmp.Compare(a.Locations[0].Column, b.Locations[0].Column))
	})
	if most := d.config.MaxErrors; most > 0 && len(d.errors) > most {
		d.errors = append(d.errors[:most:most], &gqlerror.Error{
			Message: "Too many validation errors, error limit reached. Validation aborted.",
		})
	}
	return d.errors
}
