package report

// Advice says how to mend an error of the code, in a sentence or two. It is empty for InvalidGraphql, whose messages say all
// there is to say, and for codes that composition does not give.
func (c Code) Advice() string { return advice[c] }

const (
	sameDefinition = "Remove the definition, since federation supplies it, or write it as federation does."
	oneName        = "Rename the type, or let the schema definition name it as the root."
	fieldsAsString = `Write the fields as one string, for instance fields: "id owner { name }".`
	noDirectives   = "Remove the directive from the fields: it can stand on the field's definition."
	fieldsThatFit  = "Select fields that the type has in this subgraph, with a selection below each field of a composite type and below no other."
	sameDefault    = "Give it the same default value in every subgraph, or none."
	sameType       = "Give it the same type in every subgraph, or types of which one is the other's subtype."
	asTheOthers    = "Declare the @external field as the subgraph that resolves it does."
	hideOther      = "Mark what refers to it @inaccessible, too, or take @inaccessible away."
)

var advice = map[Code]string{
	DirectiveDefinitionInvalid:   sameDefinition,
	TypeDefinitionInvalid:        sameDefinition,
	UnknownFederationLinkVersion: "Link to a version from v2.0 to v2.14; where the configuration's federation_version caps it, raise that.",
	UnknownLinkVersion:           "Link to https://specs.apollo.dev/link/v1.0.",
	InvalidLinkDirectiveUsage:    `Link each specification once, on the schema, and import what it has: @link(url: "…", import: ["@key", {name: "@tag", as: "@label"}]).`,
	InvalidLinkIdentifier:        "Write the URL as https://HOST/NAME/vMAJOR.MINOR.",
	LinkImportNameMismatch:       "Import the directive under one name in all subgraphs.",

	KeyFieldsHasArgs:                      "Leave the field with arguments out of the key, or add one without arguments.",
	KeyUnsupportedOnInterface:             "Link to federation v2.3 or later, or take @key away from the interface.",
	KeyInvalidFieldsType:                  fieldsAsString,
	KeyInvalidFields:                      fieldsThatFit,
	KeyFieldsSelectInvalidType:            "Make the key of fields of scalar, enum or object types.",
	KeyDirectiveInFieldsArg:               noDirectives,
	ProvidesFieldsHasArgs:                 "Provide fields without arguments only.",
	ProvidesFieldsMissingExternal:         "Mark the provided field @external where this subgraph defines it; if this subgraph always resolves it, @provides is not needed.",
	ProvidesUnsupportedOnInterface:        "Put @provides on the fields of the types that implement the interface.",
	ProvidesOnNonObjectField:              "Remove @provides: it is for fields that return objects, interfaces or unions.",
	ProvidesInvalidFieldsType:             fieldsAsString,
	ProvidesInvalidFields:                 fieldsThatFit,
	ProvidesDirectiveInFieldsArg:          noDirectives,
	RequiresFieldsMissingExternal:         "Mark the required field @external; if this subgraph resolves it itself, @requires is not needed.",
	RequiresUnsupportedOnInterface:        "Put @requires on the fields of the types that implement the interface.",
	RequiresInvalidFieldsType:             fieldsAsString,
	RequiresInvalidFields:                 fieldsThatFit,
	RequiresDirectiveInFieldsArg:          noDirectives,
	ExternalUnused:                        "Remove the field, or use it in a @key, @requires or @provides; if this subgraph resolves it, remove @external.",
	ExternalCollisionWithAnotherDirective: "Remove one of the two: an @external field is resolved elsewhere.",
	ExternalOnInterface:                   "Put @external on the fields of the types that implement the interface.",
	ExternalTypeMismatch:                  asTheOthers,
	ExternalArgumentMissing:               asTheOthers,
	ExternalArgumentTypeMismatch:          asTheOthers,
	ExternalArgumentDefaultMismatch:       asTheOthers,
	ExternalMissingOnBase:                 "Let some subgraph resolve the field: define it there without @external.",
	MergedDirectiveApplicationOnExternal:  "Move the directive to the subgraph that resolves the field.",
	TypeWithOnlyUnusedExternal:            "Remove the type from this subgraph, or give it a field that this subgraph resolves.",

	RootQueryUsed:          oneName,
	RootMutationUsed:       oneName,
	RootSubscriptionUsed:   oneName,
	InvalidSubgraphName:    "Give each subgraph a name of its own, other than _.",
	NoQueries:              "Define a field of Query in at least one subgraph.",
	TypeKindMismatch:       "Make it the same kind of type in all subgraphs, or rename it in some.",
	ExtensionWithNoBase:    "Define the type in some subgraph, or write type instead of extend type.",
	InterfaceFieldNoImplem: "Define the field on the type in some subgraph, or remove it from the interface.",

	FieldTypeMismatch:            sameType,
	FieldArgumentTypeMismatch:    sameType,
	InputFieldDefaultMismatch:    sameDefault,
	FieldArgumentDefaultMismatch: sameDefault,
	InvalidFieldSharing:          "Mark the field @shareable in every subgraph that resolves it, if all give the same value; else move it with @override, mark it @external, or rename it.",
	InvalidShareableUsage:        "Put @shareable once on the fields of object types, or on the type.",

	RequiredArgumentMissingInSomeSubgraph:   "Add the argument where it is missing, or make it optional.",
	RequiredInputFieldMissingInSomeSubgraph: "Add the input field where it is missing, or make it optional.",
	EmptyMergedInputType:                    "Let the subgraphs have at least one field of the input type in common.",
	EmptyMergedEnumType:                     "Let the subgraphs have at least one value of the enum in common.",
	EnumValueMismatch:                       "Add the value in all subgraphs; to add it one subgraph after the other, mark it @inaccessible meanwhile.",
	ShareableHasMismatchedRuntimeTypes:      "Let the subgraphs that share the field have at least one of its possible types in common.",

	ReferencedInaccessible:       hideOther,
	DefaultValueUsesInaccessible: hideOther,
	ImplementedByInaccessible:    "Mark the interface's field @inaccessible, too, or take @inaccessible away.",
	QueryRootTypeInaccessible:    "Take @inaccessible away from the query type, and mark its fields instead.",
	RequiredInaccessible:         "Make it optional, or take @inaccessible away.",
	DisallowedInaccessible:       "Take @inaccessible away: every API has this element.",
	OnlyInaccessibleChildren:     "Mark the type @inaccessible, too, or leave one of its members visible.",

	SatisfiabilityError:                "Give the type a @key in the subgraphs named, or mark the field @shareable and resolve it where the query comes from.",
	MaxValidationSubgraphPathsExceeded: "Reduce how many subgraphs share the types, or raise the bound.",

	OverrideCollisionWithAnotherDirective: "Remove @override or the other directive.",
	OverrideFromSelfError:                 "Name the subgraph that the field is taken from.",
	OverrideSourceHasOverride:             "Remove one of the two overrides: a field has one subgraph that it moves to.",
	OverrideOnInterface:                   "Put @override on the fields of the types that implement the interface.",
	OverrideLabelInvalid:                  `Write a label as letters, digits, _ - : . /, beginning with a letter, or as percent(20).`,
	DirectiveCompositionError:             `Link the directive's specification, import the directive under one name everywhere, and compose it as @composeDirective(name: "@name").`,

	InterfaceObjectUsageError:             "Define an interface of that name, with a @key, in another subgraph; the subgraph with @interfaceObject has the key and no implementation.",
	InterfaceKeyNotOnImplementation:       "Put the interface's @key on every implementation in this subgraph.",
	InterfaceKeyMissingImplementationType: "Define every implementation in the subgraph that has the interface's @key, or make that key resolvable: false.",

	ContextNotSet:                                 "Set the context with @context on a type above the field, and take it in an argument of an object type's field.",
	ContextInvalidSelection:                       `Select exactly one field of the argument's type, for instance "$user { locale }".`,
	NoContextInSelection:                          `Begin with the context: "$user { locale }".`,
	ContextNoResolvableKey:                        "Give the type a @key that is resolvable: the router enters the subgraph by it.",
	ContextNameInvalid:                            "Name the context with letters and digits only.",
	ContextualArgumentNotContextualInAllSubgraphs: "Put @fromContext on the argument in every subgraph, or make it optional in the others.",

	CostAppliedToInterfaceField:        "Put @cost on the fields of the types that implement the interface.",
	ListSizeAppliedToNonList:           "Let the field return a list, or name its list fields in sizedFields.",
	ListSizeInvalidAssumedSize:         "Give a size of 0 or more.",
	ListSizeInvalidSizedField:          "Name fields of the returned type that are lists.",
	ListSizeInvalidSlicingArgument:     "Name arguments of the field that are of type Int.",
	AuthRequirementsAppliedOnInterface: "Put the directive on the implementations: composition passes it up to the interface.",
	MissingTransitiveAuthRequirements:  "Put the requirements of what is selected on the field, too.",
}
