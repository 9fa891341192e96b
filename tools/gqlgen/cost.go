package main

import (
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"
)

// costDirectives declares @cost and @listSize (https://specs.apollo.dev/cost), which gqlgen's federation plugin
// doesn't know. They mean something to routers alone, so nothing is generated for them, and as a built-in
// source they stay out of _service { sdl }.
type costDirectives struct{}

// Name is gqlgen's name of the plugin.
func (costDirectives) Name() string { return "cost" }

// InjectSourcesEarly adds the definitions before the schema is loaded.
func (costDirectives) InjectSourcesEarly() ([]*ast.Source, error) {
	return []*ast.Source{{Name: "cost.graphql", BuiltIn: true, Input: `
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`}}, nil
}

// MutateConfig says that no code runs for them.
func (costDirectives) MutateConfig(cfg *config.Config) error {
	cfg.Directives["cost"] = config.DirectiveConfig{SkipRuntime: true}
	cfg.Directives["listSize"] = config.DirectiveConfig{SkipRuntime: true}
	return nil
}
