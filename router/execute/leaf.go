package execute

import (
	"bytes"
	"math"
	"strconv"

	"github.com/agora-supergraph/agora/router/plan"
)

// appendLeaf writes a scalar or enum value if it is one that the field's type can have, by the result coercion
// of the specification (October 2021, section 3.5). Subgraphs have coerced already: what doesn't fit is an
// error, with the one exception that the specification makes, numbers for ID.
func appendLeaf(b []byte, f *plan.OutputField, raw []byte) ([]byte, bool) {
	ok := false
	switch c := raw[0]; f.Leaf {
	case plan.LeafAny:
		ok = true
	case plan.LeafString:
		ok = c == '"'
	case plan.LeafBoolean:
		ok = c == 't' || c == 'f'
	case plan.LeafFloat:
		ok = isNumber(c)
	case plan.LeafInt:
		ok = isInt32(raw)
	case plan.LeafEnum:
		ok = c == '"' && isVisible(f, raw[1:len(raw)-1])
	case plan.LeafID:
		if isInteger(raw) {
			return append(append(append(b, '"'), raw...), '"'), true
		}
		ok = c == '"'
	}
	if !ok {
		return b, false
	}
	return append(b, raw...), true
}

// ready has a bit for each kind of word that is written as it came; appendLeaf knows more.
var ready = [...]uint16{
	plan.LeafAny:     bit(leaf) | bit(text) | bit(integer) | bit(number) | bit(truth),
	plan.LeafString:  bit(text),
	plan.LeafID:      bit(text),
	plan.LeafInt:     bit(integer),
	plan.LeafFloat:   bit(integer) | bit(number),
	plan.LeafBoolean: bit(truth),
	plan.LeafEnum:    0,
}

func bit(kind word) uint16 { return 1 << (kind >> kindShift) }

func isNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func isInteger(raw []byte) bool {
	if !isNumber(raw[0]) {
		return false
	}
	for _, c := range raw {
		if c > '9' || c == '.' {
			return false
		}
	}
	return true
}

// isInt32 reports whether raw is an Int: an integer of 32 bits.
func isInt32(raw []byte) bool {
	if len(raw) > len("-2147483648") || !isInteger(raw) {
		return false
	}
	if len(raw) < 10 {
		return true
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return err == nil && n >= math.MinInt32 && n <= math.MaxInt32
}

// isVisible reports whether clients may see an enum value, given without its quotes.
func isVisible(f *plan.OutputField, value []byte) bool {
	if bytes.IndexByte(value, '\\') >= 0 {
		value = unescaped(value)
	}
	_, ok := f.Enum[string(value)]
	return ok
}
