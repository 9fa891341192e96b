package main

import (
	"fmt"
	"slices"
	"strings"
)

// codes are the distinct codes of findings, sorted.
func codes(all []finding) []string {
	var list []string
	for _, f := range all {
		list = append(list, f.Code)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// canonical makes SDL comparable: the order of definitions, fields and directives does not count.
func canonical(sdl string) []string {
	var lines []string
	for line := range strings.Lines(sdl) {
		parts := strings.Split(strings.TrimSpace(line), " @")
		if len(parts) > 2 {
			slices.Sort(parts[1:])
		}
		if text := strings.Join(parts, " @"); text != "" {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	return lines
}

// compare says in what two outcomes differ; empty if in nothing that counts. Kind groups differences of one sort.
func compare(ours, theirs outcome) (kind, detail string) {
	mine, other := codes(ours.Errors), codes(theirs.Errors)
	switch {
	case theirs.Crash != "":
		return "", ""
	case (len(mine) == 0) != (len(other) == 0):
		return fmt.Sprintf("outcome: ours %v, theirs %v", mine, other), messages(ours.Errors, theirs.Errors)
	case !slices.Equal(mine, other):
		return fmt.Sprintf("codes: ours %v, theirs %v", mine, other), messages(ours.Errors, theirs.Errors)
	case len(mine) > 0:
		return "", ""
	}
	if d := difference(ours.SDL, theirs.SDL); d != "" {
		return "supergraph", d
	}
	if d := difference(ours.API, theirs.API); d != "" {
		return "API schema", d
	}
	if a, b := codes(ours.Hints), codes(theirs.Hints); !slices.Equal(a, b) {
		return fmt.Sprintf("hints: ours %v, theirs %v", a, b), messages(ours.Hints, theirs.Hints)
	}
	return "", ""
}

// wording says which messages differ between outcomes with equal codes. Satisfiability is left out, since witnesses may
// differ, and so are suggestions, of which ours has more.
func wording(ours, theirs outcome) string {
	texts := func(all []finding) []string {
		var list []string
		for _, f := range all {
			if f.Code != "SATISFIABILITY_ERROR" {
				message, _, _ := strings.Cut(f.Message, " Did you mean ")
				list = append(list, f.Code+" "+strings.TrimSuffix(message, "."))
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	mine := texts(append(slices.Clone(ours.Errors), ours.Hints...))
	other := texts(append(slices.Clone(theirs.Errors), theirs.Hints...))
	var b strings.Builder
	for _, m := range missing(mine, other) {
		b.WriteString("  ours   " + m + "\n")
	}
	for _, m := range missing(other, mine) {
		b.WriteString("  theirs " + m + "\n")
	}
	return b.String()
}

func messages(ours, theirs []finding) string {
	var b strings.Builder
	for _, f := range ours {
		fmt.Fprintf(&b, "  ours   %s %s\n", f.Code, f.Message)
	}
	for _, f := range theirs {
		fmt.Fprintf(&b, "  theirs %s %s\n", f.Code, f.Message)
	}
	return b.String()
}

func difference(ours, theirs string) string {
	a, b := canonical(ours), canonical(theirs)
	if slices.Equal(a, b) {
		return ""
	}
	var out strings.Builder
	for _, line := range missing(a, b) {
		out.WriteString("  ours   " + line + "\n")
	}
	for _, line := range missing(b, a) {
		out.WriteString("  theirs " + line + "\n")
	}
	return out.String()
}

// missing are the lines of a that b lacks.
func missing(a, b []string) []string {
	count := map[string]int{}
	for _, line := range b {
		count[line]++
	}
	var list []string
	for _, line := range a {
		if count[line]--; count[line] < 0 {
			list = append(list, line)
		}
	}
	return list
}
