package check

// Severity says what a change does to clients.
type Severity int

// The severities, from the least to the most severe.
const (
	// Safe changes nothing for clients that exist.
	Safe Severity = iota + 1
	// Dangerous breaks no operation, but may surprise a client: an enum value that it does not know.
	Dangerous
	// Breaking makes operations invalid, or their answers of a shape that clients do not expect.
	Breaking
)

// String is the severity as reports write it.
func (s Severity) String() string { return [...]string{"", "safe", "dangerous", "breaking"}[s] }

// MarshalText writes String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Change is one difference between two API schemas.
type Change struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	// Coordinate is the schema coordinate of what changed, for instance "Product.price(currency:)".
	Coordinate string `json:"coordinate"`
	// Message says what changed.
	Message string `json:"message"`
	// Advice says what to do about it; empty for safe changes.
	Advice string `json:"advice,omitempty"`
	// Subgraphs are the names of those that define the field or type, in the new supergraph if it is still there; sorted.
	Subgraphs []string `json:"subgraphs,omitempty"`
}

// Code is the kind of a change.
type Code string

// The codes of graphql-js, then ours.
const (
	TypeRemoved                Code = "TYPE_REMOVED"
	TypeChangedKind            Code = "TYPE_CHANGED_KIND"
	TypeRemovedFromUnion       Code = "TYPE_REMOVED_FROM_UNION"
	ValueRemovedFromEnum       Code = "VALUE_REMOVED_FROM_ENUM"
	RequiredInputFieldAdded    Code = "REQUIRED_INPUT_FIELD_ADDED"
	ImplementedInterfaceGone   Code = "IMPLEMENTED_INTERFACE_REMOVED"
	FieldRemoved               Code = "FIELD_REMOVED"
	FieldChangedKind           Code = "FIELD_CHANGED_KIND"
	RequiredArgAdded           Code = "REQUIRED_ARG_ADDED"
	ArgRemoved                 Code = "ARG_REMOVED"
	ArgChangedKind             Code = "ARG_CHANGED_KIND"
	DirectiveRemoved           Code = "DIRECTIVE_REMOVED"
	DirectiveArgRemoved        Code = "DIRECTIVE_ARG_REMOVED"
	RequiredDirectiveArgAdded  Code = "REQUIRED_DIRECTIVE_ARG_ADDED"
	DirectiveRepeatableRemoved Code = "DIRECTIVE_REPEATABLE_REMOVED"
	DirectiveLocationRemoved   Code = "DIRECTIVE_LOCATION_REMOVED"
	ValueAddedToEnum           Code = "VALUE_ADDED_TO_ENUM"
	TypeAddedToUnion           Code = "TYPE_ADDED_TO_UNION"
	OptionalInputFieldAdded    Code = "OPTIONAL_INPUT_FIELD_ADDED"
	OptionalArgAdded           Code = "OPTIONAL_ARG_ADDED"
	ImplementedInterfaceAdded  Code = "IMPLEMENTED_INTERFACE_ADDED"
	ArgDefaultValueChange      Code = "ARG_DEFAULT_VALUE_CHANGE"
	ArgDefaultValueAdded       Code = "ARG_DEFAULT_VALUE_ADDED"
	FieldChangedKindSafe       Code = "FIELD_CHANGED_KIND_SAFE"
	ArgChangedKindSafe         Code = "ARG_CHANGED_KIND_SAFE"
	TypeAdded                  Code = "TYPE_ADDED"
	FieldAdded                 Code = "FIELD_ADDED"
	DirectiveAdded             Code = "DIRECTIVE_ADDED"
	OptionalDirectiveArgAdded  Code = "OPTIONAL_DIRECTIVE_ARG_ADDED"
	DirectiveRepeatableAdded   Code = "DIRECTIVE_REPEATABLE_ADDED"
	DirectiveLocationAdded     Code = "DIRECTIVE_LOCATION_ADDED"
	DescriptionChanged         Code = "DESCRIPTION_CHANGED"

	InputFieldDefaultChange  Code = "INPUT_FIELD_DEFAULT_VALUE_CHANGE"
	InputFieldDefaultAdded   Code = "INPUT_FIELD_DEFAULT_VALUE_ADDED"
	ArgBecameRequired        Code = "ARG_BECAME_REQUIRED"
	InputFieldBecameRequired Code = "INPUT_FIELD_BECAME_REQUIRED"
	FieldChangedToSubtype    Code = "FIELD_CHANGED_TO_SUBTYPE"
	RootTypeRemoved          Code = "ROOT_TYPE_REMOVED"
	RootTypeAdded            Code = "ROOT_TYPE_ADDED"
	RootTypeChanged          Code = "ROOT_TYPE_CHANGED"
	BecameOneOf              Code = "INPUT_BECAME_ONE_OF"
	NoLongerOneOf            Code = "INPUT_NO_LONGER_ONE_OF"
	SpecifiedByChanged       Code = "SPECIFIED_BY_CHANGED"
	DeprecationAdded         Code = "DEPRECATION_ADDED"
	DeprecationRemoved       Code = "DEPRECATION_REMOVED"
	DeprecationReason        Code = "DEPRECATION_REASON_CHANGED"
	RequirementTightened     Code = "ACCESS_REQUIREMENT_TIGHTENED"
	RequirementLoosened      Code = "ACCESS_REQUIREMENT_LOOSENED"
)

const deprecateFirst = "Keep it, mark it @deprecated(reason:) and remove it when no operation uses it any more."

// rulings are the severity of each code, and what to do about a change that is not safe.
var rulings = map[Code]struct {
	severity Severity
	advice   string
}{
	TypeRemoved:                {Breaking, deprecateFirst},
	TypeChangedKind:            {Breaking, "Add a type under a new name, and deprecate the fields that return this one."},
	TypeRemovedFromUnion:       {Breaking, "Keep the member until no operation has a fragment on it."},
	ValueRemovedFromEnum:       {Breaking, deprecateFirst},
	RequiredInputFieldAdded:    {Breaking, "Make it nullable, or give it a default value."},
	ImplementedInterfaceGone:   {Breaking, "Keep implementing it until no operation meets the type through the interface."},
	FieldRemoved:               {Breaking, deprecateFirst},
	FieldChangedKind:           {Breaking, "Add one of the new type under another name, and deprecate this one."},
	RequiredArgAdded:           {Breaking, "Make it nullable, or give it a default value."},
	ArgRemoved:                 {Breaking, deprecateFirst},
	ArgChangedKind:             {Breaking, "Add an optional one under another name, and deprecate this one."},
	DirectiveRemoved:           {Breaking, "Keep the directive until no operation applies it."},
	DirectiveArgRemoved:        {Breaking, "Keep the argument until no operation gives it."},
	RequiredDirectiveArgAdded:  {Breaking, "Make it nullable, or give it a default value."},
	DirectiveRepeatableRemoved: {Breaking, "Keep it repeatable."},
	DirectiveLocationRemoved:   {Breaking, "Keep the location until no operation applies the directive there."},
	ValueAddedToEnum:           {Dangerous, "Make sure that clients have a branch for values they do not know."},
	TypeAddedToUnion:           {Dangerous, "Make sure that clients have a branch for types they do not know."},
	OptionalInputFieldAdded:    {Dangerous, "Make sure that leaving it out means what it meant before."},
	OptionalArgAdded:           {Dangerous, "Make sure that leaving it out means what it meant before."},
	ImplementedInterfaceAdded:  {Dangerous, "Make sure that clients have a branch for types they do not know."},
	ArgDefaultValueChange:      {Dangerous, "Make sure that clients which leave it out want the new value."},
	InputFieldDefaultChange:    {Dangerous, "Make sure that clients which leave it out want the new value."},
	ArgDefaultValueAdded:       {Safe, ""},
	InputFieldDefaultAdded:     {Safe, ""},
	FieldChangedKindSafe:       {Safe, ""},
	ArgChangedKindSafe:         {Safe, ""},
	TypeAdded:                  {Safe, ""},
	FieldAdded:                 {Safe, ""},
	DirectiveAdded:             {Safe, ""},
	OptionalDirectiveArgAdded:  {Safe, ""},
	DirectiveRepeatableAdded:   {Safe, ""},
	DirectiveLocationAdded:     {Safe, ""},
	DescriptionChanged:         {Safe, ""},
	ArgBecameRequired:          {Breaking, "Keep the default value, or make it nullable."},
	InputFieldBecameRequired:   {Breaking, "Keep the default value, or make it nullable."},
	FieldChangedToSubtype:      {Breaking, "Make sure that no operation has a fragment on another type there."},
	RootTypeRemoved:            {Breaking, "Keep the root type until no client sends operations of this kind."},
	RootTypeAdded:              {Safe, ""},
	RootTypeChanged:            {Breaking, "Keep the name: clients see it as __typename and in fragments."},
	BecameOneOf:                {Breaking, "Add an input type under a new name, and deprecate what takes this one."},
	NoLongerOneOf:              {Safe, ""},
	SpecifiedByChanged:         {Dangerous, "Make sure that the format of the values stays what clients read and write."},
	DeprecationAdded:           {Safe, ""},
	DeprecationRemoved:         {Safe, ""},
	DeprecationReason:          {Safe, ""},
	RequirementTightened:       {Breaking, "Give the clients what they must prove first, or add a protected field under another name."},
	RequirementLoosened:        {Dangerous, "Make sure that everybody who may see it now should."},
}
