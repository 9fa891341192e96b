package subgraph

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var builtInDirectives = func() map[string]*schema.DirectiveDefinition {
	doc, err := schema.Parse("", "", `
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported") on FIELD_DEFINITION | ENUM_VALUE | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
directive @specifiedBy(url: String!) on SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA`)
	if err != nil {
		panic(err)
	}
	all := map[string]*schema.DirectiveDefinition{}
	for _, d := range doc.Directives {
		all[d.Name] = d
	}
	return all
}()

// definition is the definition that an applied directive follows, or nil. Where composition knows the directive, its own
// definition counts and not the one in the SDL.
func (s *Subgraph) definition(name string) *schema.DirectiveDefinition {
	if spec := s.specs[name]; spec != "" {
		d := federation.Lookup(spec)
		return d.At(s.directiveVersion(d), s.typeName)
	}
	if d := s.Directive(name); d != nil {
		return d
	}
	if d := builtInDirectives[name]; d != nil && (name != "link" || s.isLinkName("link")) {
		return d
	}
	for _, d := range s.Owned {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// directiveVersion is the version whose definition counts: that of federation, or the newest where the directive's own
// specification is linked.
func (s *Subgraph) directiveVersion(d *federation.Directive) federation.Version {
	if d.Feature != nil && s.Link(d.Feature.Identity) != nil {
		return federation.Newest
	}
	return s.Version
}

// predefined tells whether a type name is one that federation predefines in this subgraph.
func (s *Subgraph) predefined(name string) bool {
	switch name {
	case "_Any", "_FieldSet", "_Entity", "_Service", "link__Import", "link__Purpose":
		return true
	}
	if s.Fed1() {
		return false
	}
	return slices.ContainsFunc(federation.Types(s.Version), func(t string) bool { return s.Federation.TypeName(t) == name })
}

// directiveUses checks that applied directives are known, stand where they may, and have the right arguments.
func directiveUses(s *Subgraph) {
	defs := map[string]*schema.DirectiveDefinition{}
	s.EachElement(func(e *schema.Element, at ast.DirectiveLocation, coordinate string) {
		seen := map[string]bool{}
		for _, d := range e.Applied {
			def, ok := defs[d.Name]
			if !ok {
				def = s.definition(d.Name)
				defs[d.Name] = def
			}
			if def == nil && s.connectDirective(d.Name) {
				continue
			}
			if def == nil {
				s.invalid(coordinate, d.Position, `Unknown directive "@%s".%s`, d.Name, s.unknownDirectiveAdvice(d.Name))
				continue
			}
			if !slices.Contains(def.Locations, at) {
				s.invalid(coordinate, d.Position, `Directive "@%s" may not be used on %s.`, d.Name, at)
			}
			if seen[d.Name] && !def.Repeatable {
				s.invalid(coordinate, d.Position, `The directive "@%s" can only be used once at this location.`, d.Name)
			}
			seen[d.Name] = true
			s.directiveArguments(d, def, coordinate)
		}
	})
}

// connectDirective tells whether a directive is one of the connect specification, which composition carries for routers that
// know it, and does not read.
func (s *Subgraph) connectDirective(name string) bool {
	l := s.Link(federation.ConnectSpec)
	if l == nil {
		return false
	}
	spec, ok := l.SpecDirective(name)
	return ok && (spec == "connect" || spec == "source")
}

func (s *Subgraph) directiveArguments(d *schema.Directive, def *schema.DirectiveDefinition, coordinate string) {
	given := map[string]bool{}
	for _, a := range d.Arguments {
		arg := def.Argument(a.Name)
		switch {
		case arg == nil:
			s.invalid(coordinate, d.Position, `Unknown argument "%s" on directive "@%s".%s`, a.Name, d.Name, schema.DidYouMean(a.Name, argumentNames(def)))
		case given[a.Name]:
			s.invalid(coordinate, d.Position, `There can be only one argument named "%s".`, a.Name)
		case s.specificValue(d, a.Name):
		case s.valueProblem(a.Value, arg.Type) != "":
			s.invalid(coordinate, d.Position, `Invalid value for "@%s(%s:)" of type "%s" in application of "@%s" to "%s".`,
				d.Name, a.Name, arg.Type, d.Name, coordinate)
		}
		given[a.Name] = true
	}
	for _, arg := range def.Arguments {
		if arg.Type.NonNull && arg.Default == nil && !given[arg.Name] {
			s.invalid(coordinate, d.Position, `Directive "@%s" argument "%s" of type "%s" is required, but it was not provided.`, d.Name, arg.Name, arg.Type)
		}
	}
}

// specificValue tells whether a rule of its own checks the argument's value, with a code of its own.
func (s *Subgraph) specificValue(d *schema.Directive, argument string) bool {
	switch d.Spec {
	case "key", "requires", "provides":
		return argument == "fields"
	}
	return s.isLinkName(d.Name)
}

func argumentNames(def *schema.DirectiveDefinition) []string {
	names := make([]string, len(def.Arguments))
	for i, a := range def.Arguments {
		names[i] = a.Name
	}
	return names
}

const fed1Advice = "note that this schema is a federation 1 schema. To be a federation 2 schema, it needs to @link to the federation specifcation v2."

// unknownDirectiveAdvice says what an unknown directive probably should have been.
func (s *Subgraph) unknownDirectiveAdvice(name string) string {
	if d := federation.Lookup(name); d != nil && d.In(federation.Newest) {
		switch {
		case s.Fed1():
			return ` If you meant the "@` + name + `" federation 2 directive, ` + fed1Advice
		case d.In(s.Version):
			known := s.Federation.DirectiveName(name)
			if strings.HasSuffix(known, "__"+name) {
				return ` If you meant the "@` + name + `" federation directive, you should use fully-qualified name "@` + known +
					`" or add "@` + name + "\" to the `import` argument of the @link to the federation specification."
			}
			return ` If you meant the "@` + name + `" federation directive, you should use "@` + known + `" as it is imported under that name in the @link to the federation specification of this schema.`
		}
	}
	var known []string
	for n := range s.specs {
		known = append(known, "@"+n)
	}
	for _, d := range s.Directives {
		known = append(known, "@"+d.Name)
	}
	for n := range builtInDirectives {
		known = append(known, "@"+n)
	}
	slices.Sort(known)
	return schema.DidYouMean("@"+name, known)
}

// checkOwned holds the definitions that a subgraph gives of federation's directives and types against the real ones.
func (s *Subgraph) checkOwned() {
	for _, t := range s.OwnedTypes {
		want := ast.Scalar
		switch t.Name {
		case "_Service", "_Entity":
			continue
		}
		if strings.HasSuffix(t.Name, "__Purpose") {
			want = ast.Enum
		}
		if t.Kind != want {
			s.errorf(report.TypeDefinitionInvalid, t.Name, t.Position, "Invalid definition for type %s: %s should be a %s but is defined as a %s",
				t.Name, t.Name, className(want), className(t.Kind))
		}
	}
	for _, own := range s.Owned {
		if s.specs[own.Name] != "" || s.isLinkName(own.Name) && own.Name != "core" {
			if want := s.definition(own.Name); want != nil && want != own {
				s.compatible(own, want)
			} else if s.isLinkName(own.Name) {
				s.compatible(own, builtInDirectives["link"])
			}
		}
	}
}

func (s *Subgraph) compatible(own, want *schema.DirectiveDefinition) {
	bad := func(pos *ast.Position, format string, args ...any) {
		s.errorf(report.DirectiveDefinitionInvalid, "@"+own.Name, pos, `Invalid definition for directive "@`+own.Name+`": `+format, args...)
	}
	for _, arg := range want.Arguments {
		mine := own.Argument(arg.Name)
		switch {
		case mine == nil && arg.Type.NonNull && arg.Default == nil:
			bad(own.Position, `missing required argument "%s"`, arg.Name)
		case mine != nil && !s.compatibleType(mine.Type, arg.Type):
			bad(mine.Position, `argument "%s" should have type "%s" but found type "%s"`, arg.Name, arg.Type, mine.Type)
		case mine != nil && mine.Default != nil && arg.Default != nil && !schema.EqualValues(mine.Default, arg.Default):
			bad(mine.Position, `argument "%s" should have default value %s but found default value %s`, arg.Name,
				schema.FormatValue(arg.Default), schema.FormatValue(mine.Default))
		}
	}
	for _, mine := range own.Arguments {
		if want.Argument(mine.Name) == nil {
			bad(mine.Position, `unknown/unsupported argument "%s"`, mine.Name)
		}
	}
	if own.Repeatable && !want.Repeatable {
		bad(own.Position, `"@%s" should not be repeatable`, own.Name)
	}
	for _, l := range own.Locations {
		if !slices.Contains(want.Locations, l) {
			bad(own.Position, `"@%s" should have locations %s, but found (non-subset) %s`, own.Name, locations(want.Locations), locations(own.Locations))
			return
		}
	}
}

func locations(all []ast.DirectiveLocation) string {
	parts := make([]string, len(all))
	for i, l := range all {
		parts[i] = string(l)
	}
	return strings.Join(parts, ", ")
}

// compatibleType allows a stricter type, and any string-like scalar where federation has one of its own.
func (s *Subgraph) compatibleType(mine, want *ast.Type) bool {
	if mine.NonNull && !want.NonNull {
		mine = schema.Nullable(mine)
	}
	if mine.NonNull != want.NonNull {
		return false
	}
	if want.Elem != nil {
		return mine.Elem != nil && s.compatibleType(mine.Elem, want.Elem)
	}
	if mine.Elem != nil {
		return false
	}
	if mine.NamedType == want.NamedType {
		return true
	}
	return !scalars[want.NamedType] && (mine.NamedType == "String" || strings.TrimLeft(mine.NamedType, "_") == "FieldSet" && strings.HasSuffix(want.NamedType, "FieldSet"))
}
