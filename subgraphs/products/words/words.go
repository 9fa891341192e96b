// Package words turns text into the words that a search index holds, and what a shopper types into the terms that are
// looked up in it: case and accents folded, split at everything that is neither letter nor digit, stemmed.
//
// It is done here and not by the databases' own tokenizers, so that both engines index the same words: SQLite's porter
// and Postgres' english dictionary disagree on stems, stop words, hyphens and numbers, and then the same catalogue has
// other products depending on where it is stored.
package words

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxLength bounds a word, in runes; what is longer is cut, in the index and in queries alike.
const maxLength = 40

// folds are the letters that Unicode does not decompose.
var folds = strings.NewReplacer("ß", "ss", "ẞ", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i", "'", "", "’", "")

// Fold returns s in lower case and without accents or apostrophes: "Crème brûlée" is "creme brulee", "Gärtner's" is
// "gartners".
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return folds.Replace(b.String())
}

// Split returns the folded words of a text, in order.
func Split(s string) []string {
	words := strings.FieldsFunc(Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	for i, w := range words {
		words[i] = cut(w)
	}
	return words
}

func cut(w string) string {
	n := 0
	for i := range w {
		if n == maxLength {
			return w[:i]
		}
		n++
	}
	return w
}

// Index returns what an index holds of a text: each word and its stem, once. The words are kept beside the stems
// since the beginning of a word need not be the beginning of its stem.
func Index(text string) []string {
	var tokens []string
	seen := map[string]bool{}
	add := func(token string) {
		if !seen[token] {
			seen[token] = true
			tokens = append(tokens, token)
		}
	}
	for _, w := range Split(text) {
		add(w)
		add(Stem(w))
	}
	return tokens
}

// Term is a word that is looked for.
type Term struct {
	// Stem is a token that matches as a whole.
	Stem string
	// Prefix is the beginning of tokens that match too; empty for none.
	Prefix string
}

// maxTerms is how many terms a query has at most; further words are not looked for.
const maxTerms = 12

// minPrefix is the length from which a word may be the beginning of others, in bytes.
const minPrefix = 2

// stop are words that say nothing, unless a query has no others.
var stop = map[string]bool{}

func init() {
	for _, w := range strings.Fields("a an and are as at be by for from in is it of on or the to with") {
		stop[w] = true
	}
}

// Query returns the terms of what somebody typed: all must match. The last word may be unfinished, so it is also a
// prefix. A query of nothing but blanks has no terms, and neither has one without letters or digits.
func Query(typed string) []Term {
	words := Split(typed)
	said := false
	for _, w := range words {
		said = said || !stop[w]
	}
	var terms []Term
	seen := map[string]bool{}
	for i, w := range words {
		if len(terms) == maxTerms || said && stop[w] || seen[w] {
			continue
		}
		seen[w] = true
		term := Term{Stem: Stem(w)}
		if i == len(words)-1 && len(w) >= minPrefix {
			term.Prefix = w
		}
		terms = append(terms, term)
	}
	return terms
}
