package report

// HintCode is a hint code of composition.
type HintCode string

// Level is the severity of a hint.
type Level int

// The levels, from the least to the most severe.
const (
	Debug Level = iota + 1
	Info
	Warn
)

// String is the name of the level, as rover writes it.
func (l Level) String() string { return [...]string{"", "DEBUG", "INFO", "WARN"}[l] }

// The hints of the reference, in its order, each with what it means.
const (
	// HintInconsistentButCompatibleFieldType: field types differ, supertype used.
	HintInconsistentButCompatibleFieldType HintCode = "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"
	// HintInconsistentButCompatibleArgumentType: argument types differ, strictest used.
	HintInconsistentButCompatibleArgumentType HintCode = "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"
	// HintInconsistentDefaultValuePresence: default only in some subgraphs, dropped.
	HintInconsistentDefaultValuePresence HintCode = "INCONSISTENT_DEFAULT_VALUE_PRESENCE"
	// HintInconsistentEntity: key only in some subgraphs.
	HintInconsistentEntity HintCode = "INCONSISTENT_ENTITY"
	// HintInconsistentObjectValueTypeField: value type field not everywhere.
	HintInconsistentObjectValueTypeField HintCode = "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD"
	// HintInconsistentInterfaceValueTypeField: interface field not everywhere.
	HintInconsistentInterfaceValueTypeField HintCode = "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD"
	// HintInconsistentInputObjectField: input field dropped.
	HintInconsistentInputObjectField HintCode = "INCONSISTENT_INPUT_OBJECT_FIELD"
	// HintInconsistentUnionMember: union member not everywhere.
	HintInconsistentUnionMember HintCode = "INCONSISTENT_UNION_MEMBER"
	// HintInconsistentEnumValueForInputEnum: input enum value dropped.
	HintInconsistentEnumValueForInputEnum HintCode = "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM"
	// HintInconsistentEnumValueForOutputEnum: output enum value not everywhere.
	HintInconsistentEnumValueForOutputEnum HintCode = "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM"
	// HintInconsistentTypeSystemDirectiveRepeatable: (defined, code path disabled).
	HintInconsistentTypeSystemDirectiveRepeatable HintCode = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE"
	// HintInconsistentTypeSystemDirectiveLocations: (defined, code path disabled).
	HintInconsistentTypeSystemDirectiveLocations HintCode = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS"
	// HintInconsistentExecutableDirectivePresence: executable directive dropped.
	HintInconsistentExecutableDirectivePresence HintCode = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE"
	// HintNoExecutableDirectiveIntersection: no common location, dropped.
	HintNoExecutableDirectiveIntersection HintCode = "NO_EXECUTABLE_DIRECTIVE_INTERSECTION"
	// HintInconsistentExecutableDirectiveRepeatable: not repeatable any more.
	HintInconsistentExecutableDirectiveRepeatable HintCode = "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE"
	// HintInconsistentExecutableDirectiveLocations: locations reduced.
	HintInconsistentExecutableDirectiveLocations HintCode = "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS"
	// HintInconsistentDescription: descriptions differ.
	HintInconsistentDescription HintCode = "INCONSISTENT_DESCRIPTION"
	// HintInconsistentArgumentPresence: optional argument dropped.
	HintInconsistentArgumentPresence HintCode = "INCONSISTENT_ARGUMENT_PRESENCE"
	// HintFromSubgraphDoesNotExist: override from an unknown subgraph.
	HintFromSubgraphDoesNotExist HintCode = "FROM_SUBGRAPH_DOES_NOT_EXIST"
	// HintOverriddenFieldCanBeRemoved: source field is dead.
	HintOverriddenFieldCanBeRemoved HintCode = "OVERRIDDEN_FIELD_CAN_BE_REMOVED"
	// HintOverrideDirectiveCanBeRemoved: nothing left to override.
	HintOverrideDirectiveCanBeRemoved HintCode = "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED"
	// HintOverrideMigrationInProgress: progressive override.
	HintOverrideMigrationInProgress HintCode = "OVERRIDE_MIGRATION_IN_PROGRESS"
	// HintUnusedEnumType: enum is unused.
	HintUnusedEnumType HintCode = "UNUSED_ENUM_TYPE"
	// HintInconsistentNonRepeatableDirectiveArguments: most frequent application used.
	HintInconsistentNonRepeatableDirectiveArguments HintCode = "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"
	// HintMergedNonRepeatableDirectiveArguments: arguments merged by strategy.
	HintMergedNonRepeatableDirectiveArguments HintCode = "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"
	// HintDirectiveCompositionInfo: @composeDirective remark.
	HintDirectiveCompositionInfo HintCode = "DIRECTIVE_COMPOSITION_INFO"
	// HintDirectiveCompositionWarn: @composeDirective remark.
	HintDirectiveCompositionWarn HintCode = "DIRECTIVE_COMPOSITION_WARN"
	// HintInconsistentRuntimeTypesForShareableReturn: shared field, different possible types.
	HintInconsistentRuntimeTypesForShareableReturn HintCode = "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN"
	// HintImplicitlyUpgradedFederationVersion: linked spec implies a newer version.
	HintImplicitlyUpgradedFederationVersion HintCode = "IMPLICITLY_UPGRADED_FEDERATION_VERSION"
	// HintContextualArgumentNotContextualInAllSubgraphs: argument dropped from the API.
	HintContextualArgumentNotContextualInAllSubgraphs HintCode = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"
)

// HintCodes are all hint codes, in the order of the reference.
var HintCodes = []HintCode{
	HintInconsistentButCompatibleFieldType,
	HintInconsistentButCompatibleArgumentType,
	HintInconsistentDefaultValuePresence,
	HintInconsistentEntity,
	HintInconsistentObjectValueTypeField,
	HintInconsistentInterfaceValueTypeField,
	HintInconsistentInputObjectField,
	HintInconsistentUnionMember,
	HintInconsistentEnumValueForInputEnum,
	HintInconsistentEnumValueForOutputEnum,
	HintInconsistentTypeSystemDirectiveRepeatable,
	HintInconsistentTypeSystemDirectiveLocations,
	HintInconsistentExecutableDirectivePresence,
	HintNoExecutableDirectiveIntersection,
	HintInconsistentExecutableDirectiveRepeatable,
	HintInconsistentExecutableDirectiveLocations,
	HintInconsistentDescription,
	HintInconsistentArgumentPresence,
	HintFromSubgraphDoesNotExist,
	HintOverriddenFieldCanBeRemoved,
	HintOverrideDirectiveCanBeRemoved,
	HintOverrideMigrationInProgress,
	HintUnusedEnumType,
	HintInconsistentNonRepeatableDirectiveArguments,
	HintMergedNonRepeatableDirectiveArguments,
	HintDirectiveCompositionInfo,
	HintDirectiveCompositionWarn,
	HintInconsistentRuntimeTypesForShareableReturn,
	HintImplicitlyUpgradedFederationVersion,
	HintContextualArgumentNotContextualInAllSubgraphs,
}

var hintLevels = map[HintCode]Level{
	HintInconsistentButCompatibleFieldType:            Info,
	HintInconsistentButCompatibleArgumentType:         Info,
	HintInconsistentDefaultValuePresence:              Warn,
	HintInconsistentEntity:                            Info,
	HintInconsistentObjectValueTypeField:              Debug,
	HintInconsistentInterfaceValueTypeField:           Debug,
	HintInconsistentInputObjectField:                  Warn,
	HintInconsistentUnionMember:                       Debug,
	HintInconsistentEnumValueForInputEnum:             Warn,
	HintInconsistentEnumValueForOutputEnum:            Debug,
	HintInconsistentTypeSystemDirectiveRepeatable:     Debug,
	HintInconsistentTypeSystemDirectiveLocations:      Debug,
	HintInconsistentExecutableDirectivePresence:       Warn,
	HintNoExecutableDirectiveIntersection:             Warn,
	HintInconsistentExecutableDirectiveRepeatable:     Warn,
	HintInconsistentExecutableDirectiveLocations:      Warn,
	HintInconsistentDescription:                       Warn,
	HintInconsistentArgumentPresence:                  Warn,
	HintFromSubgraphDoesNotExist:                      Warn,
	HintOverriddenFieldCanBeRemoved:                   Info,
	HintOverrideDirectiveCanBeRemoved:                 Info,
	HintOverrideMigrationInProgress:                   Info,
	HintUnusedEnumType:                                Debug,
	HintInconsistentNonRepeatableDirectiveArguments:   Warn,
	HintMergedNonRepeatableDirectiveArguments:         Info,
	HintDirectiveCompositionInfo:                      Info,
	HintDirectiveCompositionWarn:                      Warn,
	HintInconsistentRuntimeTypesForShareableReturn:    Warn,
	HintImplicitlyUpgradedFederationVersion:           Info,
	HintContextualArgumentNotContextualInAllSubgraphs: Info,
}
