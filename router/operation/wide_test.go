package operation

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// wideSchema has an interface of n types, each of which leads to all of them.
func wideSchema(n int) string {
	var b strings.Builder
	b.WriteString("type Query { any: I }\ninterface I { next: I f(n: Int): Int }\n")
	for i := range n {
		fmt.Fprintf(&b, "type T%d implements I { next: I f(n: Int): Int g%d: Int }\n", i, i)
	}
	return b.String()
}

// Wide interfaces times deep nesting: what differs between types differs on every level.
func TestWideAndDeepOperationsAreNormalisedInGoodTime(t *testing.T) {
	const width = 300
	sg := load(t, wideSchema(width))
	deep := func(n int, leaf string) string {
		return strings.Repeat("next { ", n) + leaf + strings.Repeat(" }", n)
	}
	everyType := func(format string) string { return numbered(width, format) }
	for _, c := range []struct{ name, text string }{
		{"the same of every type", "{ any { " + everyType(" ... on T%d { "+deep(10, "f")+" }") + " } }"},
		{"something else of every type", "{ any { " + deep(10, "f") + everyType(" ... on T%d { "+deep(10, "x: f(n: 1)")+" }") + " } }"},
		{"fields of their own on every level", "{ any { " + strings.Repeat(everyType(" ... on T%d { f g%[1]d }")+" next { ", 8) + "f" + strings.Repeat(" }", 8) + " } }"},
		{"another order for every type", "{ any { " + everyType(" ... on T%d { g%[1]d next { f } f }") + " } }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			doc, errs := Parse(sg, c.text, Limits{Tokens: -1})
			if errs != nil {
				t.Fatal(errs[0])
			}
			normal, err := doc.Operations()[0].Normalise(Variant{})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			t.Logf("%d bytes in %v, %d bytes of shape", len(c.text), took, len(normal.AppendShape(nil)))
			if took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			checkInvariants(t, normal.Selections)
		})
	}
}

func TestTypesThatAskTheSameAreOneField(t *testing.T) {
	const width = 50
	selected := selectedOf(t, wideSchema(width), "{ any { "+numbered(width, " ... on T%d { f next { f } }")+" } }")
	normal, err := selected.Normalise(Variant{})
	if err != nil {
		t.Fatal(err)
	}
	any := normal.Selections[0]
	if len(any.Selections) != 2 || any.Selections[0].Types.Len() != width || any.Selections[1].Types.Len() != width {
		t.Errorf("normal form:\n%s", normal.Format(selected.supergraph))
	}
}
