package introspection

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// writer writes one answer.
type writer struct {
	transport *Transport
	out       []byte
}

// exceeded reports whether the answer is too large; what is written after that is never sent.
func (w *writer) exceeded() bool { return len(w.out) > w.transport.config.MaxAnswer }

// object writes an object whose fields write writes.
func (w *writer) object(selections []*selection, write func(*selection)) {
	w.out = append(w.out, '{')
	for i, s := range selections {
		if w.exceeded() {
			return
		}
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, s.key...)
		if s.name == "__typename" {
			w.text(s.typename)
			continue
		}
		write(s)
	}
	w.out = append(w.out, '}')
}

// each writes a list of the items that pass the filter, which may be nil.
func each[T any](w *writer, items []T, keep func(T) bool, write func(T)) {
	w.out = append(w.out, '[')
	first := true
	for _, item := range items {
		if w.exceeded() {
			return
		}
		if keep != nil && !keep(item) {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		write(item)
	}
	w.out = append(w.out, ']')
}

func (w *writer) null() { w.out = append(w.out, "null"...) }

func (w *writer) text(s string) { w.out = appendString(w.out, s) }

func (w *writer) boolean(b bool) {
	if b {
		w.out = append(w.out, "true"...)
	} else {
		w.out = append(w.out, "false"...)
	}
}

// optional writes a text that is null if empty.
func (w *writer) optional(s string) {
	if s == "" {
		w.null()
		return
	}
	w.text(s)
}

// deprecation writes the two fields of everything that can be deprecated, and reports whether s is one of them.
func (w *writer) deprecation(s *selection, directives ast.DirectiveList) bool {
	reason, is := deprecation(directives)
	switch s.name {
	case "isDeprecated":
		w.boolean(is)
	case "deprecationReason":
		if is {
			w.text(reason)
		} else {
			w.null()
		}
	default:
		return false
	}
	return true
}

// deprecation returns the reason of @deprecated, if it is there.
func deprecation(directives ast.DirectiveList) (string, bool) {
	d := directives.ForName("deprecated")
	if d == nil {
		return "", false
	}
	if reason := d.Arguments.ForName("reason"); reason != nil && reason.Value != nil && reason.Value.Kind != ast.NullValue {
		return reason.Value.Raw, true
	}
	return "No longer supported", true
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	special := func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' }
	if utf8.ValidString(s) && strings.IndexFunc(s, special) < 0 {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("a string that is no JSON: " + err.Error())
	}
	return append(dst, quoted...)
}
