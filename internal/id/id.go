// Package id makes and reads identifiers: a prefix that names the type, and a UUIDv7 in Crockford's base32, such
// as "ord_01jd9q3v7ne8x9k2c4m5p6r7st". They sort by time of creation, say what they are, and can't be guessed:
// 74 bits are random.
package id

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// The prefixes of all types that have an id.
const (
	User        = "usr"
	Address     = "adr"
	Session     = "ses"
	Product     = "prod"
	Variant     = "var"
	Category    = "cat"
	Cart        = "cart"
	CartLine    = "cln"
	Order       = "ord"
	OrderLine   = "oln"
	Reservation = "rsv"
	Payment     = "pay"
	Refund      = "rfd"
	Event       = "evt"
)

// length is that of 128 bits in base32.
const length = 26

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New returns a fresh identifier of the type that prefix names.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// Derived returns an identifier that is always the same for the same name: what a command that is repeated
// creates has the id that it had the first time.
func Derived(prefix, name string) string {
	u := uuid.NewSHA1(uuid.NameSpaceOID, []byte(prefix+":"+name))
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// Prefix returns the part that names the type, or "" if s is no identifier.
func Prefix(s string) string {
	prefix, rest, ok := strings.Cut(s, "_")
	if !ok || len(rest) != length {
		return ""
	}
	// 130 bits spell 128: only the spelling that New writes is an identifier, or one thing would have four names.
	// The decoder also passes over line breaks.
	raw, err := encoding.DecodeString(rest)
	if err != nil || encoding.EncodeToString(raw) != rest {
		return ""
	}
	return prefix
}

// WellFormed returns the identifiers of the type that prefix names among some strings, each once, in the order of
// the first: others name nothing, and are not worth a query.
func WellFormed(prefix string, ids []string) []string {
	seen := make(map[string]bool, len(ids))
	var distinct []string
	for _, s := range ids {
		if !seen[s] && Is(prefix, s) {
			seen[s] = true
			distinct = append(distinct, s)
		}
	}
	return distinct
}

// Is reports whether s is a well-formed identifier of the type that prefix names. It says nothing about
// whether such a thing exists.
func Is(prefix, s string) bool { return Prefix(s) == prefix }
