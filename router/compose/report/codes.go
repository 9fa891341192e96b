package report

// Code is an error code of composition.
type Code string

// The codes of the reference, in its order, each with what it means.
const (
	// InvalidGraphql: SDL breaks a GraphQL rule (syntax, unknown type/directive, bad argument, ...).
	InvalidGraphql Code = "INVALID_GRAPHQL"
	// DirectiveDefinitionInvalid: own definition of a federation/built-in directive is incompatible.
	DirectiveDefinitionInvalid Code = "DIRECTIVE_DEFINITION_INVALID"
	// TypeDefinitionInvalid: own definition of a federation type is incompatible.
	TypeDefinitionInvalid Code = "TYPE_DEFINITION_INVALID"
	// UnsupportedLinkedFeature: supergraph reader: linked spec marked required but unsupported (not from composition).
	UnsupportedLinkedFeature Code = "UNSUPPORTED_LINKED_FEATURE"
	// UnknownFederationLinkVersion: federation version in @link is unknown.
	UnknownFederationLinkVersion Code = "UNKNOWN_FEDERATION_LINK_VERSION"
	// UnknownLinkVersion: version of the link spec is unknown.
	UnknownLinkVersion Code = "UNKNOWN_LINK_VERSION"
	// KeyFieldsHasArgs: @key selects a field with arguments.
	KeyFieldsHasArgs Code = "KEY_FIELDS_HAS_ARGS"
	// ProvidesFieldsHasArgs: @provides selects a field with arguments.
	ProvidesFieldsHasArgs Code = "PROVIDES_FIELDS_HAS_ARGS"
	// ProvidesFieldsMissingExternal: @provides selects a leaf that is not external.
	ProvidesFieldsMissingExternal Code = "PROVIDES_FIELDS_MISSING_EXTERNAL"
	// RequiresFieldsMissingExternal: @requires selects a leaf that is not external.
	RequiresFieldsMissingExternal Code = "REQUIRES_FIELDS_MISSING_EXTERNAL"
	// KeyUnsupportedOnInterface: @key on an interface before v2.3.
	KeyUnsupportedOnInterface Code = "KEY_UNSUPPORTED_ON_INTERFACE"
	// ProvidesUnsupportedOnInterface: @provides on an interface's field.
	ProvidesUnsupportedOnInterface Code = "PROVIDES_UNSUPPORTED_ON_INTERFACE"
	// RequiresUnsupportedOnInterface: @requires on an interface's field.
	RequiresUnsupportedOnInterface Code = "REQUIRES_UNSUPPORTED_ON_INTERFACE"
	// ExternalUnused: @external field that nothing uses.
	ExternalUnused Code = "EXTERNAL_UNUSED"
	// ExternalCollisionWithAnotherDirective: @external together with @provides on one field.
	ExternalCollisionWithAnotherDirective Code = "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE"
	// TypeWithOnlyUnusedExternal: fed 1: type left empty after removal of unused externals.
	TypeWithOnlyUnusedExternal Code = "TYPE_WITH_ONLY_UNUSED_EXTERNAL"
	// ProvidesOnNonObjectField: @provides on a field of a non-composite type.
	ProvidesOnNonObjectField Code = "PROVIDES_ON_NON_OBJECT_FIELD"
	// KeyInvalidFieldsType: @key(fields:) is not a string.
	KeyInvalidFieldsType Code = "KEY_INVALID_FIELDS_TYPE"
	// ProvidesInvalidFieldsType: @provides(fields:) is not a string.
	ProvidesInvalidFieldsType Code = "PROVIDES_INVALID_FIELDS_TYPE"
	// RequiresInvalidFieldsType: @requires(fields:) is not a string.
	RequiresInvalidFieldsType Code = "REQUIRES_INVALID_FIELDS_TYPE"
	// KeyInvalidFields: @key(fields:) does not parse or does not fit the type.
	KeyInvalidFields Code = "KEY_INVALID_FIELDS"
	// ProvidesInvalidFields: same for @provides.
	ProvidesInvalidFields Code = "PROVIDES_INVALID_FIELDS"
	// RequiresInvalidFields: same for @requires (also after the merge).
	RequiresInvalidFields Code = "REQUIRES_INVALID_FIELDS"
	// KeyFieldsSelectInvalidType: @key selects an interface or union field.
	KeyFieldsSelectInvalidType Code = "KEY_FIELDS_SELECT_INVALID_TYPE"
	// RootQueryUsed: a non-root type is called Query while the root has another name.
	RootQueryUsed Code = "ROOT_QUERY_USED"
	// RootMutationUsed: same, Mutation.
	RootMutationUsed Code = "ROOT_MUTATION_USED"
	// RootSubscriptionUsed: same, Subscription.
	RootSubscriptionUsed Code = "ROOT_SUBSCRIPTION_USED"
	// InvalidSubgraphName: subgraph is called _.
	InvalidSubgraphName Code = "INVALID_SUBGRAPH_NAME"
	// NoQueries: no subgraph has a query field.
	NoQueries Code = "NO_QUERIES"
	// InterfaceFieldNoImplem: merged implementation lacks an interface field.
	InterfaceFieldNoImplem Code = "INTERFACE_FIELD_NO_IMPLEM"
	// TypeKindMismatch: one name, different kinds of type.
	TypeKindMismatch Code = "TYPE_KIND_MISMATCH"
	// ContextNotSet: @fromContext names a context that is never set, or stands where it may not.
	ContextNotSet Code = "CONTEXT_NOT_SET"
	// ContextInvalidSelection: @fromContext selection is not one field of the right type.
	ContextInvalidSelection Code = "CONTEXT_INVALID_SELECTION"
	// NoContextInSelection: @fromContext(field:) names no context.
	NoContextInSelection Code = "NO_CONTEXT_IN_SELECTION"
	// ContextNoResolvableKey: type with a contextual argument has no resolvable key.
	ContextNoResolvableKey Code = "CONTEXT_NO_RESOLVABLE_KEY"
	// ContextNameInvalid: bad name in @context.
	ContextNameInvalid Code = "CONTEXT_NAME_INVALID"
	// ExternalTypeMismatch: external field's type does not fit the others.
	ExternalTypeMismatch Code = "EXTERNAL_TYPE_MISMATCH"
	// ExternalArgumentMissing: external field lacks an argument.
	ExternalArgumentMissing Code = "EXTERNAL_ARGUMENT_MISSING"
	// ExternalArgumentTypeMismatch: external field's argument type does not fit.
	ExternalArgumentTypeMismatch Code = "EXTERNAL_ARGUMENT_TYPE_MISMATCH"
	// ExternalArgumentDefaultMismatch: external field's argument default differs.
	ExternalArgumentDefaultMismatch Code = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH"
	// ExternalOnInterface: @external on an interface's field.
	ExternalOnInterface Code = "EXTERNAL_ON_INTERFACE"
	// MergedDirectiveApplicationOnExternal: merged directive (@tag, ...) on an external field.
	MergedDirectiveApplicationOnExternal Code = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"
	// FieldTypeMismatch: field types cannot be merged.
	FieldTypeMismatch Code = "FIELD_TYPE_MISMATCH"
	// FieldArgumentTypeMismatch: argument types cannot be merged.
	FieldArgumentTypeMismatch Code = "FIELD_ARGUMENT_TYPE_MISMATCH"
	// InputFieldDefaultMismatch: two different defaults of an input field.
	InputFieldDefaultMismatch Code = "INPUT_FIELD_DEFAULT_MISMATCH"
	// FieldArgumentDefaultMismatch: two different defaults of an argument.
	FieldArgumentDefaultMismatch Code = "FIELD_ARGUMENT_DEFAULT_MISMATCH"
	// ExtensionWithNoBase: type is only ever extended.
	ExtensionWithNoBase Code = "EXTENSION_WITH_NO_BASE"
	// ExternalMissingOnBase: field is external in every subgraph that has it.
	ExternalMissingOnBase Code = "EXTERNAL_MISSING_ON_BASE"
	// InvalidFieldSharing: field resolved in several subgraphs, not shareable in all.
	InvalidFieldSharing Code = "INVALID_FIELD_SHARING"
	// InvalidShareableUsage: @shareable repeated or on an interface field.
	InvalidShareableUsage Code = "INVALID_SHAREABLE_USAGE"
	// InvalidLinkDirectiveUsage: @link misused (imports, aliases, duplicates, collisions).
	InvalidLinkDirectiveUsage Code = "INVALID_LINK_DIRECTIVE_USAGE"
	// InvalidLinkIdentifier: bad url or version in @link.
	InvalidLinkIdentifier Code = "INVALID_LINK_IDENTIFIER"
	// LinkImportNameMismatch: merged directive is imported under different names.
	LinkImportNameMismatch Code = "LINK_IMPORT_NAME_MISMATCH"
	// ReferencedInaccessible: visible element refers to an inaccessible type.
	ReferencedInaccessible Code = "REFERENCED_INACCESSIBLE"
	// DefaultValueUsesInaccessible: visible default uses an inaccessible element.
	DefaultValueUsesInaccessible Code = "DEFAULT_VALUE_USES_INACCESSIBLE"
	// QueryRootTypeInaccessible: query root is inaccessible.
	QueryRootTypeInaccessible Code = "QUERY_ROOT_TYPE_INACCESSIBLE"
	// RequiredInaccessible: required argument/input field is inaccessible.
	RequiredInaccessible Code = "REQUIRED_INACCESSIBLE"
	// DisallowedInaccessible: built-in or spec element is inaccessible.
	DisallowedInaccessible Code = "DISALLOWED_INACCESSIBLE"
	// ImplementedByInaccessible: inaccessible field implements a visible one.
	ImplementedByInaccessible Code = "IMPLEMENTED_BY_INACCESSIBLE"
	// OnlyInaccessibleChildren: visible type with only inaccessible members.
	OnlyInaccessibleChildren Code = "ONLY_INACCESSIBLE_CHILDREN"
	// RequiredArgumentMissingInSomeSubgraph: argument required here, missing there.
	RequiredArgumentMissingInSomeSubgraph Code = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"
	// RequiredInputFieldMissingInSomeSubgraph: input field required here, missing there.
	RequiredInputFieldMissingInSomeSubgraph Code = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH"
	// EmptyMergedInputType: input types have no common field.
	EmptyMergedInputType Code = "EMPTY_MERGED_INPUT_TYPE"
	// EnumValueMismatch: in/out enum differs between subgraphs.
	EnumValueMismatch Code = "ENUM_VALUE_MISMATCH"
	// EmptyMergedEnumType: input enums have no common value.
	EmptyMergedEnumType Code = "EMPTY_MERGED_ENUM_TYPE"
	// ShareableHasMismatchedRuntimeTypes: shared field's possible types are disjoint.
	ShareableHasMismatchedRuntimeTypes Code = "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"
	// SatisfiabilityError: some query of the API cannot be answered.
	SatisfiabilityError Code = "SATISFIABILITY_ERROR"
	// OverrideCollisionWithAnotherDirective: @override with external/provides/requires/interface object.
	OverrideCollisionWithAnotherDirective Code = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"
	// OverrideFromSelfError: @override(from:) names its own subgraph.
	OverrideFromSelfError Code = "OVERRIDE_FROM_SELF_ERROR"
	// OverrideSourceHasOverride: overridden field overrides, too.
	OverrideSourceHasOverride Code = "OVERRIDE_SOURCE_HAS_OVERRIDE"
	// OverrideOnInterface: @override on an interface's field.
	OverrideOnInterface Code = "OVERRIDE_ON_INTERFACE"
	// OverrideLabelInvalid: bad label.
	OverrideLabelInvalid Code = "OVERRIDE_LABEL_INVALID"
	// UnsupportedFeature: something federation does not support (yet).
	UnsupportedFeature Code = "UNSUPPORTED_FEATURE"
	// InvalidFederationSupergraph: supergraph reader: not a supergraph (not from composition).
	InvalidFederationSupergraph Code = "INVALID_FEDERATION_SUPERGRAPH"
	// DownstreamServiceError: gateway at run time (not from composition).
	DownstreamServiceError Code = "DOWNSTREAM_SERVICE_ERROR"
	// KeyDirectiveInFieldsArg: directive inside @key(fields:).
	KeyDirectiveInFieldsArg Code = "KEY_DIRECTIVE_IN_FIELDS_ARG"
	// ProvidesDirectiveInFieldsArg: directive inside @provides(fields:).
	ProvidesDirectiveInFieldsArg Code = "PROVIDES_DIRECTIVE_IN_FIELDS_ARG"
	// RequiresDirectiveInFieldsArg: directive inside @requires(fields:).
	RequiresDirectiveInFieldsArg Code = "REQUIRES_DIRECTIVE_IN_FIELDS_ARG"
	// DirectiveCompositionError: @composeDirective misused or inconsistent.
	DirectiveCompositionError Code = "DIRECTIVE_COMPOSITION_ERROR"
	// InterfaceObjectUsageError: @interfaceObject misused.
	InterfaceObjectUsageError Code = "INTERFACE_OBJECT_USAGE_ERROR"
	// InterfaceKeyNotOnImplementation: interface key is missing on a local implementation.
	InterfaceKeyNotOnImplementation Code = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION"
	// InterfaceKeyMissingImplementationType: subgraph with an interface key lacks an implementation.
	InterfaceKeyMissingImplementationType Code = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE"
	// ContextualArgumentNotContextualInAllSubgraphs: contextual here, required ordinary argument there.
	ContextualArgumentNotContextualInAllSubgraphs Code = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"
	// CostAppliedToInterfaceField: @cost on an interface field.
	CostAppliedToInterfaceField Code = "COST_APPLIED_TO_INTERFACE_FIELD"
	// ListSizeAppliedToNonList: @listSize/sized field is not a list.
	ListSizeAppliedToNonList Code = "LIST_SIZE_APPLIED_TO_NON_LIST"
	// ListSizeInvalidAssumedSize: negative assumedSize.
	ListSizeInvalidAssumedSize Code = "LIST_SIZE_INVALID_ASSUMED_SIZE"
	// ListSizeInvalidSizedField: sizedFields names no field.
	ListSizeInvalidSizedField Code = "LIST_SIZE_INVALID_SIZED_FIELD"
	// ListSizeInvalidSlicingArgument: slicingArguments names no Int argument.
	ListSizeInvalidSlicingArgument Code = "LIST_SIZE_INVALID_SLICING_ARGUMENT"
	// MaxValidationSubgraphPathsExceeded: satisfiability took too many paths.
	MaxValidationSubgraphPathsExceeded Code = "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED"
	// AuthRequirementsAppliedOnInterface: auth directive on interface / interface object.
	AuthRequirementsAppliedOnInterface Code = "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"
	// MissingTransitiveAuthRequirements: @requires/@fromContext selects more protected data than the field itself.
	MissingTransitiveAuthRequirements Code = "MISSING_TRANSITIVE_AUTH_REQUIREMENTS"
)

// Codes are all codes, in the order of the reference.
var Codes = []Code{
	InvalidGraphql,
	DirectiveDefinitionInvalid,
	TypeDefinitionInvalid,
	UnsupportedLinkedFeature,
	UnknownFederationLinkVersion,
	UnknownLinkVersion,
	KeyFieldsHasArgs,
	ProvidesFieldsHasArgs,
	ProvidesFieldsMissingExternal,
	RequiresFieldsMissingExternal,
	KeyUnsupportedOnInterface,
	ProvidesUnsupportedOnInterface,
	RequiresUnsupportedOnInterface,
	ExternalUnused,
	ExternalCollisionWithAnotherDirective,
	TypeWithOnlyUnusedExternal,
	ProvidesOnNonObjectField,
	KeyInvalidFieldsType,
	ProvidesInvalidFieldsType,
	RequiresInvalidFieldsType,
	KeyInvalidFields,
	ProvidesInvalidFields,
	RequiresInvalidFields,
	KeyFieldsSelectInvalidType,
	RootQueryUsed,
	RootMutationUsed,
	RootSubscriptionUsed,
	InvalidSubgraphName,
	NoQueries,
	InterfaceFieldNoImplem,
	TypeKindMismatch,
	ContextNotSet,
	ContextInvalidSelection,
	NoContextInSelection,
	ContextNoResolvableKey,
	ContextNameInvalid,
	ExternalTypeMismatch,
	ExternalArgumentMissing,
	ExternalArgumentTypeMismatch,
	ExternalArgumentDefaultMismatch,
	ExternalOnInterface,
	MergedDirectiveApplicationOnExternal,
	FieldTypeMismatch,
	FieldArgumentTypeMismatch,
	InputFieldDefaultMismatch,
	FieldArgumentDefaultMismatch,
	ExtensionWithNoBase,
	ExternalMissingOnBase,
	InvalidFieldSharing,
	InvalidShareableUsage,
	InvalidLinkDirectiveUsage,
	InvalidLinkIdentifier,
	LinkImportNameMismatch,
	ReferencedInaccessible,
	DefaultValueUsesInaccessible,
	QueryRootTypeInaccessible,
	RequiredInaccessible,
	DisallowedInaccessible,
	ImplementedByInaccessible,
	OnlyInaccessibleChildren,
	RequiredArgumentMissingInSomeSubgraph,
	RequiredInputFieldMissingInSomeSubgraph,
	EmptyMergedInputType,
	EnumValueMismatch,
	EmptyMergedEnumType,
	ShareableHasMismatchedRuntimeTypes,
	SatisfiabilityError,
	OverrideCollisionWithAnotherDirective,
	OverrideFromSelfError,
	OverrideSourceHasOverride,
	OverrideOnInterface,
	OverrideLabelInvalid,
	UnsupportedFeature,
	InvalidFederationSupergraph,
	DownstreamServiceError,
	KeyDirectiveInFieldsArg,
	ProvidesDirectiveInFieldsArg,
	RequiresDirectiveInFieldsArg,
	DirectiveCompositionError,
	InterfaceObjectUsageError,
	InterfaceKeyNotOnImplementation,
	InterfaceKeyMissingImplementationType,
	ContextualArgumentNotContextualInAllSubgraphs,
	CostAppliedToInterfaceField,
	ListSizeAppliedToNonList,
	ListSizeInvalidAssumedSize,
	ListSizeInvalidSizedField,
	ListSizeInvalidSlicingArgument,
	MaxValidationSubgraphPathsExceeded,
	AuthRequirementsAppliedOnInterface,
	MissingTransitiveAuthRequirements,
}
