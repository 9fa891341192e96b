// Package suggest ends error messages with what the reader may have meant.
package suggest

import (
	"slices"

	"github.com/vektah/gqlparser/v2/validator/core"
)

// longest bounds the names that suggestions are looked for: comparing takes time in proportion to both lengths.
const longest = 100

// DidYouMean returns ` Did you mean "x" or "y"?`, or nothing if no candidate is close. what is empty, or names
// the kind of thing. The order of candidates does not matter; it is changed.
func DidYouMean(what, typed string, candidates []string) string {
	if len(typed) > longest {
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
	return " Did you mean " + what + Or(found) + "?"
}

// Or joins quoted items: "a", "b", or "c". It names five at most.
func Or(items []string) string { return core.QuotedOrList(items...) }
