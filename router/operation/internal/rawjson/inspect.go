package rawjson

import (
	"strings"
	"unicode/utf8"
)

const (
	inspectDepth  = 2
	inspectItems  = 10
	inspectString = 200
)

// Inspect prints a value for people as graphql-js does: objects as { a: 1 }, nothing deeper than two levels, ten
// items of a list. Long strings are cut as well.
func Inspect(raw []byte) string {
	var b strings.Builder
	inspect(&b, raw, 0)
	return b.String()
}

func inspect(b *strings.Builder, raw []byte, depth int) {
	switch Kind(raw) {
	case '{':
		inspectObject(b, raw, depth)
	case '[':
		inspectArray(b, raw, depth)
	default:
		b.WriteString(Short(raw))
	}
}

func inspectObject(b *strings.Builder, raw []byte, depth int) {
	count := 0
	for key, value := range Members(raw) {
		switch {
		case depth > inspectDepth:
			b.WriteString("[Object]")
			return
		case count == inspectItems:
			b.WriteString(", ... }")
			return
		case count == 0:
			b.WriteString("{ ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(Short(Text(key)) + ": ")
		inspect(b, value, depth+1)
		count++
	}
	if count == 0 {
		b.WriteString("{}")
		return
	}
	b.WriteString(" }")
}

func inspectArray(b *strings.Builder, raw []byte, depth int) {
	count := 0
	for item := range Elements(raw) {
		switch {
		case depth > inspectDepth:
			b.WriteString("[Array]")
			return
		case count == inspectItems:
			b.WriteString(", ... more items]")
			return
		case count == 0:
			b.WriteString("[")
		default:
			b.WriteString(", ")
		}
		inspect(b, item, depth+1)
		count++
	}
	if count == 0 {
		b.WriteString("[")
	}
	b.WriteString("]")
}

// Short returns text, cut if it is long.
func Short(raw []byte) string {
	if len(raw) <= inspectString {
		return string(raw)
	}
	cut := inspectString
	for cut > 0 && !utf8.RuneStart(raw[cut]) {
		cut--
	}
	return string(raw[:cut]) + "..."
}
