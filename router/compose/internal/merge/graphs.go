package merge

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	nonWord        = regexp.MustCompile(`[^A-Za-z0-9_]`)
	trailingNumber = regexp.MustCompile(`_[0-9]+$`)
)

// graphName makes an enum value of a subgraph's name: upper case, other characters as underscores, no digit in front, and
// no ending that could be mistaken for the number of a duplicate.
func graphName(name string) string {
	s := strings.ToUpper(nonWord.ReplaceAllString(name, "_"))
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "_" + s
	}
	if trailingNumber.MatchString(s) {
		s += "_"
	}
	return s
}

// graphNames numbers names that would be equal.
func graphNames(names []string) []string {
	count := map[string]int{}
	for _, n := range names {
		count[graphName(n)]++
	}
	seen := map[string]int{}
	graphs := make([]string, len(names))
	for i, n := range names {
		g := graphName(n)
		graphs[i] = g
		if count[g] > 1 {
			seen[g]++
			graphs[i] = g + "_" + strconv.Itoa(seen[g])
		}
	}
	return graphs
}
