package schema

import "testing"

func TestSpanCountsCharacters(t *testing.T) {
	sdl := "extend type A @k { \"é\" f: B }"
	doc, err := Parse("a", "", sdl)
	if err != nil {
		t.Fatal(err)
	}
	text := []rune(sdl)
	a := doc.Type("A")
	tests := []struct {
		name       string
		from, text string
	}{
		{"a type begins at its keyword", "extend", "A"},
		{"a directive begins at its sign", "@k", "@k"},
		{"a field is its name", "f", "f"},
	}
	for i, test := range tests {
		pos := a.Extensions[0]
		switch i {
		case 1:
			pos = a.Applied[0].Position
		case 2:
			pos = a.Field("f").Position
		}
		start, end := Span(sdl, pos)
		if got := string(text[start.Start:start.End]); got != test.from {
			t.Errorf("%s: starts with %q, want %q", test.name, got, test.from)
		}
		if got := string(text[end.Start:end.End]); got != test.text {
			t.Errorf("%s: ends with %q, want %q", test.name, got, test.text)
		}
	}
	_, end := Span(sdl, a.Field("f").Position)
	if end.Column != 24 {
		t.Errorf("column %d of f, want 24", end.Column)
	}
}

func TestNamesSortAsTheReferenceSortsThem(t *testing.T) {
	for _, pair := range [][2]string{{"Inventory", "join__Graph"}, {"join__Graph", "link__Import"}, {"link__Import", "LoginInput"}, {"A_b", "A1"}, {"A1", "Ab"}, {"a", "A"}, {"CartLinesUpdateInput", "CartLineUpdateInput"}} {
		if CompareNames(pair[0], pair[1]) >= 0 || CompareNames(pair[1], pair[0]) <= 0 {
			t.Errorf("CompareNames(%q, %q) = %d, want %[1]q first", pair[0], pair[1], CompareNames(pair[0], pair[1]))
		}
	}
}
