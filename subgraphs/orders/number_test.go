package orders

import (
	"regexp"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/money"
)

func TestOrderNumbersAreReadAsPeopleTypeThemAndMistakesShow(t *testing.T) {
	for range 200 {
		n := newNumber()
		if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{3}$`).MatchString(n) {
			t.Fatalf("newNumber() = %s", n)
		}
		sloppy := strings.ToLower(strings.NewReplacer("-", "", "0", "o", "1", "l").Replace(n))
		if got := readNumber(sloppy); got != n {
			t.Errorf("readNumber(%q) = %q, want %q", sloppy, got, n)
		}
		for i := range n {
			if n[i] == '-' {
				continue
			}
			wrong := n[:i] + string(numberAlphabet[(strings.IndexByte(numberAlphabet, n[i])+7)%32]) + n[i+1:]
			if got := readNumber(wrong); got != "" {
				t.Errorf("readNumber(%q) = %q, a wrong character of %s", wrong, got, n)
			}
		}
	}
	for _, s := range []string{"", "-", "ABC", "U0000000000", strings.Repeat("0", 12), "ÄÖÜ"} {
		if got := readNumber(s); got != "" {
			t.Errorf("readNumber(%q) = %q", s, got)
		}
	}
}

func TestShippingIsARuleInMajorUnits(t *testing.T) {
	for _, tt := range []struct {
		rule           ShippingRule
		subtotal, want money.Money
	}{
		{ShippingRule{}, money.New(4999, "EUR"), money.New(500, "EUR")},
		{ShippingRule{}, money.New(5000, "EUR"), money.New(0, "EUR")},
		{ShippingRule{}, money.New(49, "JPY"), money.New(5, "JPY")},
		{ShippingRule{}, money.New(49_999, "KWD"), money.New(5000, "KWD")},
		{ShippingRule{Flat: 3, FreeFrom: 10}, money.New(999, "USD"), money.New(300, "USD")},
		{ShippingRule{Flat: 3, FreeFrom: 10}, money.New(1000, "USD"), money.New(0, "USD")},
	} {
		if got, err := tt.rule.of(tt.subtotal); err != nil || got != tt.want {
			t.Errorf("%+v of %v = %v, %v, want %v", tt.rule, tt.subtotal, got, err, tt.want)
		}
	}
}

func TestAPriceThatDoesNotFitIsRefused(t *testing.T) {
	s := &Service{}
	items := map[string]item{"a": {price: money.New(1<<62, "EUR")}, "b": {price: money.New(1, "USD")}, "c": {price: money.New(1, "EUR")}}
	for name, want := range map[string][]wanted{
		"overflow of a line": {{"a", 3, nil}},
		"overflow of a sum":  {{"a", 1, nil}, {"a", 1, nil}},
		"two currencies":     {{"b", 1, nil}, {"c", 1, nil}},
		"nothing":            {{"d", 1, nil}},
	} {
		if q, err := s.price(want, items); err == nil {
			t.Errorf("%s costs %v", name, q.total)
		}
	}
}
