package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// At is the position of a line and column, both from 1.
func At(source string, line, column int) *ast.Position {
	start := 0
	for range line - 1 {
		i := strings.IndexByte(source[start:], '\n')
		if i < 0 {
			break
		}
		start += i + 1
	}
	start = min(start+max(column, 1)-1, len(source))
	return &ast.Position{Line: max(line, 1), Column: max(column, 1), Start: start, End: min(start+1, len(source))}
}

// Span gives the first and last token of the element whose name stands at pos. It widens the name to the left over the
// keyword that opens the declaration, where they are on one line.
func Span(source string, pos *ast.Position) (start, end report.Point) {
	from, to := max(min(pos.Start, len(source)), 0), max(min(pos.End, len(source)), 0)
	lineStart := strings.LastIndexByte(source[:from], '\n') + 1
	point := func(a, b int) report.Point {
		return report.Point{Line: max(pos.Line, 1), Column: a - lineStart + 1, Start: a, End: b}
	}
	end = point(from, to)
	start = end
	lead := source[lineStart:from]
	for _, keyword := range []string{"type", "interface", "union", "enum", "input", "scalar", "directive", "extend"} {
		i := strings.LastIndex(lead, keyword+" ")
		if i < 0 || strings.Trim(lead[i+len(keyword):], " \t@") != "" {
			continue
		}
		before := strings.TrimRight(lead[:i], " \t")
		if strings.HasSuffix(before, "extend") {
			i = len(before) - len("extend")
			keyword = "extend"
		}
		start = point(lineStart+i, lineStart+i+len(keyword))
	}
	if from > 0 && source[from-1] == '@' && start == end {
		start = point(from-1, to)
		end = start
	}
	return start, end
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
