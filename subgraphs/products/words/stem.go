package words

import "strings"

// Stem returns the stem of an English word by Porter's algorithm (M. F. Porter, "An algorithm for suffix stripping",
// Program 14, 1980). Words that have other than the 26 letters are their own stems.
func Stem(w string) string {
	if len(w) < 3 || !latin(w) {
		return w
	}
	w = plural(w)
	w = participle(w)
	if stem, ok := strings.CutSuffix(w, "y"); ok && hasVowel(stem) {
		w = stem + "i"
	}
	w = replace(w, step2, 1)
	w = replace(w, step3, 1)
	w = replace(w, step4, 2)
	return finalE(w)
}

func latin(w string) bool {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

// plural is step 1a.
func plural(w string) string {
	switch {
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "ies"):
		return w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss"):
		return w[:len(w)-1]
	}
	return w
}

// participle is step 1b.
func participle(w string) string {
	if stem, ok := strings.CutSuffix(w, "eed"); ok {
		if measure(stem) > 0 {
			return stem + "ee"
		}
		return w
	}
	stem, ok := strings.CutSuffix(w, "ed")
	if !ok {
		stem, ok = strings.CutSuffix(w, "ing")
	}
	if !ok || !hasVowel(stem) {
		return w
	}
	switch {
	case strings.HasSuffix(stem, "at"), strings.HasSuffix(stem, "bl"), strings.HasSuffix(stem, "iz"):
		return stem + "e"
	case doubled(stem) && !strings.ContainsRune("lsz", rune(stem[len(stem)-1])):
		return stem[:len(stem)-1]
	case measure(stem) == 1 && short(stem):
		return stem + "e"
	}
	return stem
}

// rule replaces a suffix; after, if not empty, are the letters of which one must stand before it.
type rule struct{ suffix, with, after string }

var step2 = []rule{
	{suffix: "ational", with: "ate"},
	{suffix: "tional", with: "tion"},
	{suffix: "enci", with: "ence"},
	{suffix: "anci", with: "ance"},
	{suffix: "izer", with: "ize"},
	{suffix: "abli", with: "able"},
	{suffix: "alli", with: "al"},
	{suffix: "entli", with: "ent"},
	{suffix: "eli", with: "e"},
	{suffix: "ousli", with: "ous"},
	{suffix: "ization", with: "ize"},
	{suffix: "ation", with: "ate"},
	{suffix: "ator", with: "ate"},
	{suffix: "alism", with: "al"},
	{suffix: "iveness", with: "ive"},
	{suffix: "fulness", with: "ful"},
	{suffix: "ousness", with: "ous"},
	{suffix: "aliti", with: "al"},
	{suffix: "iviti", with: "ive"},
	{suffix: "biliti", with: "ble"},
}

var step3 = []rule{
	{suffix: "icate", with: "ic"},
	{suffix: "ative"},
	{suffix: "alize", with: "al"},
	{suffix: "iciti", with: "ic"},
	{suffix: "ical", with: "ic"},
	{suffix: "ful"},
	{suffix: "ness"},
}

var step4 = []rule{
	{suffix: "al"},
	{suffix: "ance"},
	{suffix: "ence"},
	{suffix: "er"},
	{suffix: "ic"},
	{suffix: "able"},
	{suffix: "ible"},
	{suffix: "ant"},
	{suffix: "ement"},
	{suffix: "ment"},
	{suffix: "ent"},
	{suffix: "ion", after: "st"},
	{suffix: "ou"},
	{suffix: "ism"},
	{suffix: "ate"},
	{suffix: "iti"},
	{suffix: "ous"},
	{suffix: "ive"},
	{suffix: "ize"},
}

// replace applies the first rule whose suffix w has, if what is before it is long enough. Of two suffixes of which one
// ends with the other, the longer stands first.
func replace(w string, rules []rule, atLeast int) string {
	for _, r := range rules {
		stem, ok := strings.CutSuffix(w, r.suffix)
		if !ok {
			continue
		}
		if measure(stem) < atLeast || r.after != "" && (stem == "" || !strings.ContainsRune(r.after, rune(stem[len(stem)-1]))) {
			return w
		}
		return stem + r.with
	}
	return w
}

// finalE is step 5.
func finalE(w string) string {
	if stem, ok := strings.CutSuffix(w, "e"); ok {
		if m := measure(stem); m > 1 || m == 1 && !short(stem) {
			w = stem
		}
	}
	if strings.HasSuffix(w, "ll") && measure(w) > 1 {
		w = w[:len(w)-1]
	}
	return w
}

// consonant reports whether the letter at i is one: y is after a vowel and at the beginning.
func consonant(w string, i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !consonant(w, i-1)
	}
	return true
}

// measure counts the sequences of vowels that a consonant follows.
func measure(w string) int {
	n := 0
	for i := 1; i < len(w); i++ {
		if consonant(w, i) && !consonant(w, i-1) {
			n++
		}
	}
	return n
}

func hasVowel(w string) bool {
	for i := range len(w) {
		if !consonant(w, i) {
			return true
		}
	}
	return false
}

// doubled reports whether w ends with the same consonant twice.
func doubled(w string) bool {
	n := len(w)
	return n > 1 && w[n-1] == w[n-2] && consonant(w, n-1)
}

// short reports whether w ends as "hop" does: consonant, vowel, consonant other than w, x and y.
func short(w string) bool {
	n := len(w)
	return n > 2 && consonant(w, n-3) && !consonant(w, n-2) && consonant(w, n-1) && !strings.ContainsRune("wxy", rune(w[n-1]))
}
