package validate

import "github.com/agora-supergraph/agora/router/operation/internal/suggest"

// enough reports whether no more suggestions should be made: they are hidden, or there are more errors than
// anybody reads, each of which would cost a search of the schema.
func (d *document) enough() bool {
	return d.config.HideSuggestions || len(d.errors) > 100
}

// didYouMean is the end of a message, or empty. what is "" or names the kind of suggestion.
func (d *document) didYouMean(what, typed string, candidates []string) string {
	if d.enough() {
		return ""
	}
	return suggest.DidYouMean(what, typed, candidates)
}

func (d *document) didYouMeanType(typed string) string {
	if d.enough() {
		return ""
	}
	types := make([]string, 0, len(d.api.Types))
	for name := range d.api.Types {
		types = append(types, name)
	}
	return suggest.DidYouMean("", typed, types)
}
