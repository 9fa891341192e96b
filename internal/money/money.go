// Package money holds exact amounts: int64 minor units of a currency. There is no float on any path.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// Money is an amount in minor units (cents) of an ISO 4217 currency. It is also the GraphQL type Money.
type Money struct {
	MinorUnits int64  `json:"minorUnits"`
	Currency   string `json:"currency"`
}

// Errors of arithmetic.
var (
	// ErrCurrency says that two amounts are of different currencies.
	ErrCurrency = errors.New("amounts of different currencies")
	// ErrOverflow says that a result does not fit 64 bits.
	ErrOverflow = errors.New("amount out of range")
)

// New returns an amount.
func New(minorUnits int64, currency string) Money {
	return Money{MinorUnits: minorUnits, Currency: currency}
}

// Add returns m + o, or ErrCurrency or ErrOverflow. Zero without a currency adds to anything.
func (m Money) Add(o Money) (Money, error) {
	if m == (Money{}) {
		return o, nil
	}
	if m.Currency != o.Currency {
		return Money{}, fmt.Errorf("add %s and %s: %w", m.Currency, o.Currency, ErrCurrency)
	}
	sum := m.MinorUnits + o.MinorUnits
	if (sum > m.MinorUnits) != (o.MinorUnits > 0) {
		return Money{}, ErrOverflow
	}
	return Money{sum, m.Currency}, nil
}

// Times returns m taken n times, or ErrOverflow.
func (m Money) Times(n int64) (Money, error) {
	product := new(big.Int).Mul(big.NewInt(m.MinorUnits), big.NewInt(n))
	if !product.IsInt64() || product.Int64() == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return Money{product.Int64(), m.Currency}, nil
}

// Amount is the amount in major units with as many decimals as the currency has, such as "21.00" EUR or
// "2100" JPY.
func (m Money) Amount() string {
	digits := Digits(m.Currency)
	s := strconv.FormatUint(magnitude(m.MinorUnits), 10)
	for len(s) <= digits {
		s = "0" + s
	}
	if digits > 0 {
		s = s[:len(s)-digits] + "." + s[len(s)-digits:]
	}
	if m.MinorUnits < 0 {
		s = "-" + s
	}
	return s
}

// String is for logs: "21.00 EUR".
func (m Money) String() string { return m.Amount() + " " + m.Currency }

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Digits is the number of decimals of a currency (ISO 4217 exponent); 2 where the list below says nothing else.
func Digits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// ValidCurrency reports whether code has the form of an ISO 4217 code: three capital letters.
func ValidCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range code {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
