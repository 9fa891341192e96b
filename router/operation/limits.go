package operation

// Limits bound what an operation may ask, before it is planned. The zero value is a sensible default for a
// router that anybody may send operations to. For every number, zero means the default that its comment names
// and a negative one means no limit.
type Limits struct {
	// Tokens bounds the lexical tokens of a document, comments counted. Zero means 15,000.
	Tokens int `min:"0" max:"100000000"`
	// Depth bounds how deep fields may nest, fragments inlined. Zero means 200.
	Depth int `min:"0" max:"1000000"`
	// Fields bounds the fields of an operation, fragments inlined as often as they are spread, and the fields of
	// its normal form: fragments that spread others repeatedly grow exponentially without it. Zero means 50,000.
	Fields int `min:"0" max:"100000000"`
	// Aliases bounds the fields with an alias, fragments inlined. Zero means no limit.
	Aliases int `min:"0" max:"100000000"`
	// RootFields bounds the root fields, fragments inlined, equal ones counted each. Zero means no limit.
	RootFields int `min:"0" max:"100000000"`
	// Errors bounds how many validation errors are reported. Zero means 100.
	Errors int `min:"0" max:"1000000"`
	// HideSuggestions leaves "Did you mean" out of the messages, so that they don't tell a stranger the names
	// of the schema.
	HideSuggestions bool
}

const (
	defaultTokens = 15_000
	defaultDepth  = 200
	defaultFields = 50_000
	defaultErrors = 100
)

const unlimited = int(^uint(0) >> 1)

// bound returns the limit that a number in Limits means.
func bound(n, zero int) int {
	switch {
	case n < 0:
		return unlimited
	case n == 0:
		return zero
	}
	return n
}

// mergeBudget bounds the fields that are looked at to see whether fields merge: enough for every honest
// operation within the limit of fields, since each field of it is looked at once or twice.
func mergeBudget(limits Limits) int {
	fields := bound(limits.Fields, defaultFields)
	if fields > unlimited/10 {
		return unlimited
	}
	return 10 * fields
}
