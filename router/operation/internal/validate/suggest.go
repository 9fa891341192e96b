package validate

import (
	"slices"

	"github.com/vektah/gqlparser/v2/validator/core"
)

// longestTypo bounds the names that suggestions are looked for: comparing takes time in proportion to both
// lengths.
const longestTypo = 100

// enough reports whether no more suggestions should be made: they are hidden, or there are more errors than
// anybody reads, each of which would cost a search of the schema.
func (d *document) enough() bool {
	return d.config.HideSuggestions || len(d.errors) > 100
}

// didYouMean is the end of a message, or empty. what is "" or names the kind of suggestion.
func (d *document) didYouMean(what, typed string, candidates []string) string {
	if d.enough() || len(typed) > longestTypo {
		return ""
	}
	slices.Sort(candidates)
	found := core.SuggestionList(typed, candidates)
	if len(found) == 0 {
		return ""
	}
	if what != "" {
		what += " "
	}
	return " Did you mean " + what + orList(found) + "?"
}

func (d *document) didYouMeanType(typed string) string {
	if d.enough() || len(typed) > longestTypo {
		return ""
	}
	var types []string
	for name := range d.api.Types {
		types = append(types, name)
	}
	return d.didYouMean("", typed, types)
}

func orList(items []string) string { return core.QuotedOrList(items...) }
