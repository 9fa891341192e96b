package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteErrors writes errors for people: "error: [CODE] message", then each place as subgraph:line:column with the line of
// SDL and carets below it, and how to mend it. A file's name stands for the subgraph's where it is known.
func WriteErrors(w io.Writer, errs Errors) error {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "error: [%s] %s\n", e.Code, e.Message)
		writeNodes(&b, e.Nodes)
		if advice := e.Code.Advice(); advice != "" {
			fmt.Fprintf(&b, "  help: %s\n", advice)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteHints writes hints for people: "HINT: [CODE] message" and their places.
func WriteHints(w io.Writer, hints []Hint) error {
	var b strings.Builder
	for _, h := range hints {
		fmt.Fprintf(&b, "HINT: [%s] %s\n", h.Code, h.Message)
		writeNodes(&b, h.Nodes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shownNodes is how many places people are shown of one error.
const shownNodes = 5

func writeNodes(b *strings.Builder, nodes []Node) {
	for i, n := range nodes {
		if i == shownNodes {
			fmt.Fprintf(b, "  and %d more places\n", len(nodes)-i)
			return
		}
		fmt.Fprintf(b, "  --> %s\n", n.Place())
		b.WriteString(n.excerpt())
	}
}

// Place is where the node stands: subgraph:line:column, with the file's name where there is one.
func (n Node) Place() string {
	at := n.Subgraph
	if n.Start.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", at, n.Start.Line, n.Start.Column)
	}
	if n.File != "" {
		at += " (" + n.File + ")"
	}
	return at
}

// maxExcerpt bounds the length of a line that is shown.
const maxExcerpt = 160

// excerpt is the first line of the node, with carets below its part of the line.
func (n Node) excerpt() string {
	lines := strings.Split(n.Source, "\n")
	if n.Start.Line < 1 || n.Start.Line > len(lines) {
		return ""
	}
	line := []rune(strings.TrimRight(lines[n.Start.Line-1], "\r"))
	from := min(max(n.Start.Column-1, 0), len(line))
	to := len(line)
	if n.End.Line == n.Start.Line {
		to = min(max(n.End.Column-1+n.End.End-n.End.Start, from+1), max(len(line), from+1))
	}
	if skip := from - maxExcerpt/2; len(line) > maxExcerpt && skip > 0 {
		line, from, to = line[skip:], from-skip, to-skip
	}
	if len(line) > maxExcerpt {
		line = line[:maxExcerpt]
	}
	to = min(to, max(len(line), from+1))
	lead := strings.Map(func(r rune) rune {
		if r == '\t' {
			return '\t'
		}
		return ' '
	}, string(line[:min(from, len(line))]))
	number := fmt.Sprint(n.Start.Line)
	gutter := strings.Repeat(" ", len(number))
	return fmt.Sprintf("   %s | %s\n   %s | %s%s\n", number, string(line), gutter, lead, strings.Repeat("^", max(to-from, 1)))
}
