package page

import (
	"slices"
	"strings"
	"testing"
)

func of[T any](v T) *T { return &v }

func TestArgumentsOfAConnectionMakeAWindowOrAreRefused(t *testing.T) {
	cursor := Cursor("b", "2")
	tests := []struct {
		name          string
		first         *int
		after         *string
		last          *int
		before        *string
		limit         int
		backward, cut bool
		refused       string
	}{
		{name: "nothing", limit: Default},
		{name: "the first 5", first: of(5), limit: 5},
		{name: "none", first: of(0), limit: 0},
		{name: "after a row", first: of(5), after: of(cursor), limit: 5, cut: true},
		{name: "the last 5", last: of(5), limit: 5, backward: true},
		{name: "before a row", before: of(cursor), limit: Default, backward: true, cut: true},
		{name: "both ends", first: of(1), last: of(1), refused: "not both"},
		{name: "too many", first: of(Max + 1), refused: "first is 101"},
		{name: "fewer than none", last: of(-1), refused: "last is -1"},
		{name: "a wrong pair", first: of(1), before: of(cursor), refused: "before does not go with first"},
		{name: "no cursor", after: of("???"), refused: "no cursor of this list"},
		{name: "a cursor of another list", after: of(Cursor("a")), refused: "no cursor of this list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := New(test.first, test.after, test.last, test.before, 2)
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("error = %v, want one that says %q", err, test.refused)
				}
				return
			}
			if err != nil || w.Limit != test.limit || w.Backward != test.backward || slices.Equal(w.Cursor, []string{"b", "2"}) != test.cut {
				t.Errorf("window = %+v, %v", w, err)
			}
		})
	}
}

func TestAPageIsCutFromRowsThatAreOneMoreThanItsLimit(t *testing.T) {
	tests := []struct {
		name           string
		window         Window
		rows           string
		want           string
		previous, next bool
	}{
		{"the first page", Window{Limit: 2}, "abc", "ab", false, true},
		{"the last page", Window{Limit: 2, Cursor: []string{"b"}}, "c", "c", true, false},
		{"backwards from the end", Window{Limit: 2, Backward: true}, "cba", "bc", true, false},
		{"backwards to the start", Window{Limit: 2, Backward: true, Cursor: []string{"c"}}, "ba", "ab", false, true},
		{"no rows", Window{Limit: 2}, "", "", false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, previous, next := Cut(test.window, []byte(test.rows))
			if string(page) != test.want || previous != test.previous || next != test.next {
				t.Errorf("Cut = %s %v %v, want %s %v %v", page, previous, next, test.want, test.previous, test.next)
			}
		})
	}
}
