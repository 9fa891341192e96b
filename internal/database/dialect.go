package database

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Dialect is the engine behind a DB, and what it writes in its own way.
type Dialect string

// The two engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// ForUpdate ends a SELECT whose rows the transaction is going to change. SQLite needs nothing: its writers
// stand in line from their BEGIN on.
func (d Dialect) ForUpdate() string {
	if d == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// SkipLocked is ForUpdate, passing over rows that another transaction holds: how several replicas share work.
func (d Dialect) SkipLocked() string {
	if d == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Micros is how a time is stored: microseconds since 1970, comparable in SQL on both engines.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time is the inverse of Micros.
func Time(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// Storable reports whether a text can be stored, and so be found, by both engines: neither takes what is not UTF-8, and
// Postgres no NUL.
func Storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// In writes the list of an IN: "($3, $4)" for two values after two others, and their arguments behind the given ones. Lists
// have the lengths 1, 2, 4, 8 and so on, the last value over and over, so that there are few texts and each is prepared. It
// must not be called with no values.
func In[T any](args []any, values []T) (string, []any) {
	length := 1 << bits.Len(uint(len(values)-1))
	if length > maxPadded {
		return Row(args, values)
	}
	padded := slices.Grow(values[:len(values):len(values)], length-len(values))
	for len(padded) < length {
		padded = append(padded, values[len(values)-1])
	}
	return Row(args, padded)
}

// Row writes the values of a row, "($3, $4)" for two behind two others, and their arguments behind the given ones.
func Row[T any](args []any, values []T) (string, []any) {
	var b strings.Builder
	b.WriteByte('(')
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		args = append(args, v)
		fmt.Fprintf(&b, "$%d", len(args))
	}
	b.WriteByte(')')
	return b.String(), args
}

// maxPadded is the longest list that is made longer than it is: the engines take some 32,000 arguments.
const maxPadded = 1024
