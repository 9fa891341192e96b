package execute

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The scanner checks JSON by RFC 8259, control characters and UTF-8 included, and finds the ends of values.
// Each function takes a buffer and a position, and returns the position behind what it read, or -1 if that
// isn't JSON. Nothing is read outside the buffer.

// skipSpace returns the position of the next byte that is no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString reads the rest of a string, from behind its opening quote to behind its closing quote.
func scanString(b []byte, i int) int {
	for {
		for i+8 <= len(b) {
			if hit := stringEnd(binary.LittleEndian.Uint64(b[i:])); hit != 0 {
				i += bits.TrailingZeros64(hit) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = scanEscape(b, i+1); i < 0 {
				return -1
			}
		case c < ' ':
			return -1
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return -1
			}
			i += n
		}
	}
}

// stringEnd marks, in their high bits, the bytes that are a quote, a backslash, a control character or not ASCII. Borrows
// spoil only bytes above the first hit, and only the first one is to be looked at.
func stringEnd(w uint64) uint64 {
	quote, slash := w^ones*'"', w^ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w | w) & highs
}

// scanEscape reads the rest of an escape sequence, from behind its backslash.
func scanEscape(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 > len(b) {
			return -1
		}
		for _, c := range b[i+1 : i+5] {
			if !isHex(c) {
				return -1
			}
		}
		return i + 5
	}
	return -1
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// scanNumber reads a number.
func scanNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b) || b[i] < '0' || b[i] > '9':
		return -1
	case b[i] == '0':
		i++
	default:
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		j := skipDigits(b, i+1)
		if j == i+1 {
			return -1
		}
		i = j
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		j := skipDigits(b, i)
		if j == i {
			return -1
		}
		i = j
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// scanLiteral reads true, false or null.
func scanLiteral(b []byte, i int, literal string) int {
	if end := i + len(literal); end <= len(b) && string(b[i:end]) == literal {
		return end
	}
	return -1
}

// scanValue reads any value, nested at most depth levels deep.
func scanValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return scanString(b, i+1)
	case '{':
		return scanObject(b, i+1, depth-1)
	case '[':
		return scanList(b, i+1, depth-1)
	case 't':
		return scanLiteral(b, i, "true")
	case 'f':
		return scanLiteral(b, i, "false")
	case 'n':
		return scanLiteral(b, i, "null")
	}
	return scanNumber(b, i)
}

// scanLeaf reads any value and says of what kind it is: null, text, integer, number, truth, or leaf for all others.
func scanLeaf(b []byte, i, depth int) (kind word, end int) {
	if i >= len(b) {
		return leaf, -1
	}
	switch c := b[i]; {
	case c == '"':
		return text, scanString(b, i+1)
	case isNumber(c):
		return scanNumeral(b, i)
	case c == 't':
		return truth, scanLiteral(b, i, "true")
	case c == 'f':
		return truth, scanLiteral(b, i, "false")
	case c == 'n':
		return null, scanLiteral(b, i, "null")
	}
	return leaf, scanValue(b, i, depth)
}

// scanShort reads a string, a boolean or a number of less than eight digits where nine bytes follow at least. The end is
// negative for any other value.
func scanShort(b []byte, i int) (kind word, end int) {
	switch next := binary.LittleEndian.Uint64(b[i+1:]); b[i] {
	case '"':
		hit := stringEnd(next)
		if i += 1 + bits.TrailingZeros64(hit)>>3; hit != 0 && b[i] == '"' {
			return text, i + 1
		}
		return text, scanString(b, i)
	case 't':
		if next&(1<<24-1) == 'r'|'u'<<8|'e'<<16 {
			return truth, i + 4
		}
		return truth, -1
	case 'f':
		if next&(1<<32-1) == 'a'|'l'<<8|'s'<<16|'e'<<24 {
			return truth, i + 5
		}
		return truth, -1
	}
	first := i
	if b[i] == '-' {
		first++
	}
	n := countDigits(b[first:])
	if n == 0 || n > 7 || n > 1 && b[first] == '0' || b[first+n] == '.' || b[first+n]|0x20 == 'e' {
		return integer, -1
	}
	return integer, first + n
}

// scanNumeral reads a number.
func scanNumeral(b []byte, i int) (kind word, end int) {
	first := i
	if b[i] == '-' {
		first++
	}
	if first+8 <= len(b) {
		// Nearly all numbers have less than eight digits, and nothing else.
		n := countDigits(b[first:])
		if n > 0 && n < 8 && (n == 1 || b[first] != '0') {
			if c := b[first+n]; c != '.' && c|0x20 != 'e' {
				return integer, first + n
			}
		}
	}
	if end = scanNumber(b, i); end >= 0 && isInt32(b[i:end]) {
		return integer, end
	}
	return number, end
}

// countDigits counts the digits that the next eight bytes begin with.
func countDigits(b []byte) int {
	d := binary.LittleEndian.Uint64(b) ^ ones*'0'
	return bits.TrailingZeros64((d+ones*(0x80-10)|d)&highs) >> 3
}

// scanObject reads the rest of an object, from behind its brace.
func scanObject(b []byte, i, depth int) int {
	if depth < 0 {
		return -1
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		_, end, next := scanKey(b, i)
		if end < 0 {
			return -1
		}
		if i = scanValue(b, next, depth); i < 0 {
			return -1
		}
		more := false
		if i, more = scanNext(b, i, '}'); i < 0 || !more {
			return i
		}
	}
}

// scanKey reads a key and its colon from the position of its quote. The key is b[start:end], without quotes;
// next is the position of the value. A negative end means an error.
func scanKey(b []byte, i int) (start, end, next int) {
	if i >= len(b) || b[i] != '"' {
		return 0, -1, -1
	}
	start = i + 1
	if i = scanString(b, start); i < 0 {
		return 0, -1, -1
	}
	end = i - 1
	// Nearly always the colon and the value follow at once.
	if i < len(b) && b[i] != ':' {
		i = skipSpace(b, i)
	}
	if i >= len(b) || b[i] != ':' {
		return 0, -1, -1
	}
	i++
	if i < len(b) && b[i] <= ' ' {
		i = skipSpace(b, i)
	}
	return start, end, i
}

// scanNext reads what follows a value in a list or object: a comma, or the closing byte. With more it returns
// the position of the next key or item, else that behind the closing byte.
func scanNext(b []byte, i int, closing byte) (next int, more bool) {
	if i < len(b) && b[i] <= ' ' {
		i = skipSpace(b, i)
	}
	if i >= len(b) {
		return -1, false
	}
	switch b[i] {
	case closing:
		return i + 1, false
	case ',':
		i++
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		return i, true
	}
	return -1, false
}

// scanList reads the rest of a list, from behind its bracket.
func scanList(b []byte, i, depth int) int {
	if depth < 0 {
		return -1
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = scanValue(b, i, depth); i < 0 {
			return -1
		}
		more := false
		if i, more = scanNext(b, i, ']'); i < 0 || !more {
			return i
		}
	}
}
