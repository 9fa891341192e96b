package cache

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// An entry in Redis is a text: its version in 16 hexadecimal digits, which compare as texts do; a letter for what it is;
// and for values and for nothing, until when, in as many digits. A value's JSON follows.
const (
	kindValue = 'v'
	kindStays = 's' // a value that does not change by itself
	kindNone  = 'n'
	// 'm', written by markScript alone, stands where something was that is too old by now.
)

const digits = 16

func versionText(version int64) string { return fmt.Sprintf("%016x", version) }

// encode is the text of an item behind its version.
func (i *item[V]) encode() ([]byte, error) {
	if i.none {
		return fmt.Appendf(nil, "%c%016x", kindNone, i.until), nil
	}
	kind := kindValue
	if i.stands {
		kind = kindStays
	}
	value, err := json.Marshal(i.value)
	return append(fmt.Appendf(nil, "%c%016x", kind, i.until), value...), err
}

// decode reads a text, version and all. It reports false for a mark, for nothing, and for what is none of ours.
func decode[V any](text string) (*item[V], bool) {
	if len(text) < 2*digits+1 || text[digits] != kindValue && text[digits] != kindStays && text[digits] != kindNone {
		return nil, false
	}
	version, err1 := strconv.ParseInt(text[:digits], 16, 64)
	until, err2 := strconv.ParseInt(text[digits+1:2*digits+1], 16, 64)
	if err1 != nil || err2 != nil {
		return nil, false
	}
	i := &item[V]{version: version, until: until, none: text[digits] == kindNone, stands: text[digits] == kindStays}
	if !i.none && json.Unmarshal([]byte(text[2*digits+1:]), &i.value) != nil {
		return nil, false
	}
	return i, true
}
