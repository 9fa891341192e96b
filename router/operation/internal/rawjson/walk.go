package rawjson

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// Valid reports whether raw is one JSON value in UTF-8, nested no deeper than 10,000 levels.
func Valid(raw []byte) bool { return utf8.Valid(raw) && json.Valid(raw) }

// Kind is the first byte of a value: '{', '[', '"', 't', 'f', 'n', or '0' for numbers; 0 if there is none.
func Kind(raw []byte) byte {
	if len(raw) == 0 {
		return 0
	}
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return c
	}
	return '0'
}

// Trim returns a value without the space around it.
func Trim(raw []byte) []byte { return bytes.Trim(raw, " \t\r\n") }

// Elements yields the values of an array.
func Elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := next(raw, 1); i < len(raw) && raw[i] != ']'; {
			end := skip(raw, i)
			if end <= i || !yield(raw[i:end]) {
				return
			}
			i = next(raw, end)
		}
	}
}

// Members yields the keys of an object, without quotes but with escapes, and their values.
func Members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for i := next(raw, 1); i < len(raw) && raw[i] == '"'; {
			end := skip(raw, i)
			start := next(raw, end)
			stop := skip(raw, start)
			if stop <= start || end-i < 2 || !yield(raw[i+1:end-1], raw[start:stop]) {
				return
			}
			i = next(raw, stop)
		}
	}
}

// Text returns the text of a string's inside, escapes resolved. It allocates only if there are any.
func Text(inside []byte) []byte {
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	quoted := append(append([]byte{'"'}, inside...), '"')
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return inside
	}
	return []byte(text)
}

// next returns the index of the next byte that is neither space nor a comma or colon.
func next(raw []byte, i int) int {
	for i < len(raw) {
		switch raw[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

// skip returns the end of the value that starts at i.
func skip(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			if depth > 0 {
				i++
				continue
			}
			return skipPlain(raw, i)
		}
		if depth <= 0 {
			return min(i, len(raw))
		}
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

func skipPlain(raw []byte, i int) int {
	for ; i < len(raw); i++ {
		switch raw[i] {
		case ' ', '\t', '\r', '\n', ',', ':', '}', ']', '{', '[', '"':
			return i
		}
	}
	return i
}
