package schema

import (
	"cmp"
	"slices"
	"strings"
)

// DidYouMean suggests the known names nearest to a mistyped one: ` Did you mean "x" or "y"?`, or nothing.
func DidYouMean(name string, known []string) string {
	near := Suggestions(name, known)
	if len(near) > 5 {
		near = near[:5]
	}
	quoted := make([]string, len(near))
	for i, n := range near {
		quoted[i] = `"` + n + `"`
	}
	switch len(quoted) {
	case 0:
		return ""
	case 1:
		return " Did you mean " + quoted[0] + "?"
	case 2:
		return " Did you mean " + quoted[0] + " or " + quoted[1] + "?"
	}
	return " Did you mean " + strings.Join(quoted[:len(quoted)-1], ", ") + ", or " + quoted[len(quoted)-1] + "?"
}

// Suggestions are the known names within an edit distance of 40 % of the name's length, the nearest first.
func Suggestions(name string, known []string) []string {
	limit := len(name)*2/5 + 1
	distance := map[string]int{}
	var near []string
	for _, k := range known {
		d := editDistance(strings.ToLower(name), strings.ToLower(k))
		if name != k && d == 0 {
			d = 1
		}
		if d <= limit {
			distance[k] = d
			near = append(near, k)
		}
	}
	slices.SortFunc(near, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance[a], distance[b]), strings.Compare(a, b))
	})
	return slices.Compact(near)
}

// editDistance is that of Levenshtein, a swap of neighbours counting one.
func editDistance(a, b string) int {
	if max(len(a), len(b)) > 200 {
		return 200
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
