package words

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The pairs are the examples of Porter's paper, after all of its steps.
func TestWordsHaveTheStemsOfPortersPaper(t *testing.T) {
	const pairs = `caresses caress ponies poni ties ti cats cat feed feed agreed agre plastered plaster bled bled
		motoring motor sing sing conflated conflat troubled troubl sized size hopping hop tanned tan falling fall
		hissing hiss fizzed fizz failing fail filing file happy happi sky sky relational relat conditional condit
		rational ration valenci valenc hesitanci hesit digitizer digit conformabli conform radicalli radic
		differentli differ vileli vile analogousli analog vietnamization vietnam predication predic operator oper
		feudalism feudal decisiveness decis hopefulness hope callousness callous formaliti formal sensitiviti sensit
		sensibiliti sensibl triplicate triplic formative form formalize formal electriciti electr electrical electr
		hopeful hope goodness good revival reviv allowance allow inference infer airliner airlin gyroscopic gyroscop
		adjustable adjust defensible defens irritant irrit replacement replac adjustment adjust dependent depend
		adoption adopt homologou homolog communism commun activate activ angulariti angular homologous homolog
		effective effect bowdlerize bowdler probate probat rate rate cease ceas controll control roll roll
		kettles kettl kettle kettl by by v60 v60 café café`
	fields := strings.Fields(pairs)
	for i := 0; i < len(fields); i += 2 {
		if got := Stem(fields[i]); got != fields[i+1] {
			t.Errorf("Stem(%q) = %q, want %q", fields[i], got, fields[i+1])
		}
	}
}

func TestTextIsFoldedAndSplit(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"accents", "Crème brûlée Ångström", []string{"creme", "brulee", "angstrom"}},
		{"decomposed accents", "Cafe\u0301", []string{"cafe"}},
		{"letters that do not decompose", "Straße Smørrebrød ŁÓDŹ", []string{"strasse", "smorrebrod", "lodz"}},
		{"apostrophes join", "chef's ’70s", []string{"chefs", "70s"}},
		{"hyphens and punctuation split", "pour-over (500 ml)", []string{"pour", "over", "500", "ml"}},
		{"SKUs", "KET-0012.BLU", []string{"ket", "0012", "blu"}},
		{"other scripts", "珈琲 קפה قهوة", []string{"珈琲", "קפה", "قهوة"}},
		{"ligatures and wide letters", "ﬁlter Ｖ６０", []string{"filter", "v60"}},
		{"symbols and emoji", "☕ & 🎧!", []string{}},
		{"long words are cut", strings.Repeat("é", 100), []string{strings.Repeat("e", 40)}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, Split(test.text)); diff != "" {
			t.Errorf("%s: Split(%q):\n%s", test.name, test.text, diff)
		}
	}
}

func TestAnIndexHoldsEachWordAndItsStemOnce(t *testing.T) {
	got := Index("Kettle and kettles, KETTLE")
	if diff := cmp.Diff([]string{"kettle", "kettl", "and", "kettles"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLastWordOfAQueryIsAPrefixAndStopWordsAreLeftOut(t *testing.T) {
	tests := []struct {
		typed string
		want  []Term
	}{
		{"", nil},
		{" \t ", nil},
		{"🎧", nil},
		{"Stovetop kettles", []Term{{Stem: "stovetop"}, {Stem: "kettl", Prefix: "kettles"}}},
		{"kettle kettle", []Term{{Stem: "kettl"}}},
		{"a", []Term{{Stem: "a"}}},
		{"the", []Term{{Stem: "the", Prefix: "the"}}},
		{"cup of the", []Term{{Stem: "cup"}}},
		{`name:x" OR *`, []Term{{Stem: "name"}, {Stem: "x"}}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, Query(test.typed)); diff != "" {
			t.Errorf("Query(%q):\n%s", test.typed, diff)
		}
	}
	if got := len(Query(strings.Repeat("ab cd ef gh ij kl mn op qr st uv wx yz ", 2))); got != maxTerms {
		t.Errorf("a query of 13 words has %d terms, want %d", got, maxTerms)
	}
}

func FuzzQueryTermsAreWordsThatTheIndexHolds(f *testing.F) {
	f.Add("Crème brûlée")
	f.Add("ᾛ ǅ ﬁ 'x' \x00 \xff")
	f.Fuzz(func(t *testing.T, text string) {
		held := map[string]bool{}
		for _, token := range Index(text) {
			held[token] = true
			if strings.ContainsAny(token, "\"' \x00\\:*&|!()") {
				t.Fatalf("Index(%q) holds %q", text, token)
			}
		}
		for _, term := range Query(text) {
			if !held[term.Stem] || term.Prefix != "" && !held[term.Prefix] {
				t.Fatalf("Query(%q) asks for %+v, which Index does not hold", text, term)
			}
		}
	})
}
