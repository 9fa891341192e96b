package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// jsonSpace is the white space of JSON: less than Unicode has, and than bytes.TrimSpace takes away.
const jsonSpace = " \t\r\n"

// checkJSON says where raw is not a JSON text in UTF-8. What it accepts the functions below may walk without
// further checks.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("not UTF-8")
	}
	if json.Valid(raw) {
		return nil
	}
	var syntax *json.SyntaxError
	var value json.RawMessage
	if err := json.Unmarshal(raw, &value); errors.As(err, &syntax) {
		return fmt.Errorf("malformed JSON at byte %d: %w", syntax.Offset, err)
	}
	return errors.New("malformed JSON")
}

// members walks the members of a JSON object that checkJSON has accepted. It does not allocate, but for
// names that hold escapes.
type members struct {
	raw []byte
	pos int
	// name and value are the member that next has found. Both alias raw, a name with escapes excepted.
	name, value []byte
}

// walk starts at the first member of raw, which must be an object.
func walk(raw []byte) members { return members{raw: raw, pos: bytes.IndexByte(raw, '{') + 1} }

func (m *members) next() bool {
	m.pos = skipSpace(m.raw, m.pos)
	if m.raw[m.pos] == ',' {
		m.pos = skipSpace(m.raw, m.pos+1)
	}
	if m.raw[m.pos] == '}' {
		return false
	}
	end := skipString(m.raw, m.pos)
	m.name = m.raw[m.pos+1 : end-1]
	if bytes.IndexByte(m.name, '\\') >= 0 {
		m.name = []byte(unquote(m.raw[m.pos:end]))
	}
	m.pos = skipSpace(m.raw, skipSpace(m.raw, end)+1) // the colon
	end = skipValue(m.raw, m.pos)
	m.value = m.raw[m.pos:end]
	m.pos = end
	return true
}

// elements are the elements of a JSON array that checkJSON has accepted.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := skipSpace(raw, bytes.IndexByte(raw, '[')+1); raw[i] != ']'; {
			end := skipValue(raw, i)
			if !yield(raw[i:end]) {
				return
			}
			if i = skipSpace(raw, end); raw[i] == ',' {
				i = skipSpace(raw, i+1)
			}
		}
	}
}

func skipSpace(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r' {
		i++
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipValue(raw []byte, i int) int {
	depth := 0
	for {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
		default:
			for i < len(raw) && !delimits(raw[i]) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}

func delimits(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// unquote returns the text of a JSON string that checkJSON has accepted.
func unquote(raw []byte) string {
	inside := raw[1 : len(raw)-1]
	escape := bytes.IndexByte(inside, '\\')
	if escape < 0 {
		return string(inside)
	}
	// Clients escape the line breaks and quotes of documents; characters by number are rare.
	var b strings.Builder
	b.Grow(len(inside))
	for rest := inside; ; {
		b.Write(rest[:escape])
		if rest[escape+1] == 'u' {
			return unquoteAny(raw)
		}
		b.WriteByte(unescape[rest[escape+1]])
		rest = rest[escape+2:]
		if escape = bytes.IndexByte(rest, '\\'); escape < 0 {
			b.Write(rest)
			return b.String()
		}
	}
}

// unescape is what stands behind a backslash.
var unescape = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func unquoteAny(raw []byte) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(fmt.Sprintf("unquote %q: %v", raw, err)) // checkJSON has accepted it
	}
	return s
}

// kind names the kind of a JSON value, for messages.
func kind(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(fmt.Sprintf("quote %q: %v", s, err)) // strings always marshal
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
