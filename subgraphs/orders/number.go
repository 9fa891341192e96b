package orders

import (
	"crypto/rand"
	"strings"
)

// numberAlphabet is Crockford's base 32: no I, L, O or U, which people misread.
const numberAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber returns the number of an order as people read it out: ten random characters and a check character,
// such as "7K3M-9QX2-TV4". It can't be guessed, and still gives access to nothing.
func newNumber() string {
	random := make([]byte, 10)
	rand.Read(random)
	for i, b := range random {
		random[i] = numberAlphabet[b%32]
	}
	return formatNumber(string(random) + string(checkCharacter(string(random))))
}

func formatNumber(n string) string { return n[:4] + "-" + n[4:8] + "-" + n[8:] }

// checkCharacter makes every wrong character show, and nearly every swap of two neighbours: Luhn's algorithm
// modulo 32.
func checkCharacter(n string) byte {
	factor, sum := 2, 0
	for i := len(n) - 1; i >= 0; i-- {
		addend := factor * strings.IndexByte(numberAlphabet, n[i])
		sum += addend/32 + addend%32
		factor = 3 - factor
	}
	return numberAlphabet[(32-sum%32)%32]
}

// readNumber is an order's number as it is stored, from one that a person may have typed; or "" if it is none.
func readNumber(s string) string {
	s = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != 11 || strings.Trim(s, numberAlphabet) != "" || checkCharacter(s[:10]) != s[10] {
		return ""
	}
	return formatNumber(s)
}
