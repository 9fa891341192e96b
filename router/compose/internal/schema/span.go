package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// At is the position of a line and column, both from 1.
func At(source string, line, column int) *ast.Position {
	text := []rune(source)
	start := 0
	for l := 1; l < line && start < len(text); start++ {
		if text[start] == '\n' {
			l++
		}
	}
	start = min(start+max(column, 1)-1, len(text))
	return &ast.Position{Line: max(line, 1), Column: max(column, 1), Start: start, End: min(start+1, len(text))}
}

// Span gives the first and last token of the element whose name stands at pos. It widens the name to the left over the
// keyword that opens the declaration, where they are on one line. Offsets and columns count characters, as the parser does.
func Span(source string, pos *ast.Position) (start, end report.Point) {
	text := []rune(source)
	from, to := max(min(pos.Start, len(text)), 0), max(min(pos.End, len(text)), 0)
	lineStart := from
	for lineStart > 0 && text[lineStart-1] != '\n' {
		lineStart--
	}
	point := func(a, b int) report.Point {
		return report.Point{Line: max(pos.Line, 1), Column: a - lineStart + 1, Start: a, End: b}
	}
	end = point(from, to)
	if from > 0 && text[from-1] == '@' {
		end = point(from-1, to)
	}
	lead := string(text[lineStart:from])
	for _, keyword := range []string{"type", "interface", "union", "enum", "input", "scalar", "directive"} {
		i := strings.LastIndex(lead, keyword+" ")
		if i < 0 || strings.Trim(lead[i+len(keyword):], " \t@") != "" {
			continue
		}
		if before := strings.TrimRight(lead[:i], " \t"); strings.HasSuffix(before, "extend") {
			i, keyword = len(before)-len("extend"), "extend"
		}
		at := lineStart + len([]rune(lead[:i]))
		return point(at, at+len(keyword)), point(from, to)
	}
	return end, end
}

// Renamed is the type reference with another named type.
func Renamed(t *ast.Type, name string) *ast.Type {
	c := *t
	if t.Elem != nil {
		c.Elem = Renamed(t.Elem, name)
	} else {
		c.NamedType = name
	}
	return &c
}
