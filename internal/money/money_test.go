package money

import (
	"errors"
	"math"
	"testing"
)

func TestAmountsAreWrittenWithTheDecimalsOfTheirCurrency(t *testing.T) {
	tests := []struct {
		money Money
		want  string
	}{
		{New(2100, "EUR"), "21.00"},
		{New(5, "EUR"), "0.05"},
		{New(-5, "EUR"), "-0.05"},
		{New(2100, "JPY"), "2100"},
		{New(1, "KWD"), "0.001"},
		{New(math.MinInt64, "EUR"), "-92233720368547758.08"},
	}
	for _, test := range tests {
		if got := test.money.Amount(); got != test.want {
			t.Errorf("%d %s is %s, want %s", test.money.MinorUnits, test.money.Currency, got, test.want)
		}
	}
}

func TestArithmeticRefusesWhatItCantHold(t *testing.T) {
	most := New(math.MaxInt64, "EUR")
	if got, err := New(1, "EUR").Add(New(2, "EUR")); err != nil || got != New(3, "EUR") {
		t.Errorf("1 + 2 = %v, %v", got, err)
	}
	if got, err := (Money{}).Add(New(2, "EUR")); err != nil || got != New(2, "EUR") {
		t.Errorf("nothing + 2 = %v, %v", got, err)
	}
	if got, err := New(5, "EUR").Add(New(0, "EUR")); err != nil || got != New(5, "EUR") {
		t.Errorf("5 + 0 = %v, %v", got, err)
	}
	if got, err := New(250, "EUR").Times(-3); err != nil || got != New(-750, "EUR") {
		t.Errorf("2.50 × -3 = %v, %v", got, err)
	}
	if _, err := most.Add(New(1, "EUR")); !errors.Is(err, ErrOverflow) {
		t.Errorf("the most + 1: %v", err)
	}
	if _, err := New(-2, "EUR").Add(New(math.MinInt64, "EUR")); !errors.Is(err, ErrOverflow) {
		t.Errorf("the least - 2: %v", err)
	}
	if _, err := most.Times(2); !errors.Is(err, ErrOverflow) {
		t.Errorf("the most × 2: %v", err)
	}
	if _, err := most.Add(New(1, "USD")); !errors.Is(err, ErrCurrency) {
		t.Errorf("EUR + USD: %v", err)
	}
}
