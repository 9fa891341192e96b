package federation

import (
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// Directive is a directive of federation or of a specification that federation knows.
type Directive struct {
	// Name is the one in the specification.
	Name string
	// Since is the version of federation that brought it; the zero version is federation 1.
	Since Version
	// Feature is the specification by which the supergraph carries the directive; nil if it does not.
	Feature *Feature
	// Definition is the newest one; its types have the specification's names.
	Definition *schema.DirectiveDefinition
}

// Feature is a specification that a supergraph links to because its directives are composed.
type Feature struct {
	URL
	Purpose string
	// Directives and Scalars are what it defines.
	Directives []string
	Scalars    []string
}

func feature(name string, minor int, purpose string, scalars []string, directives ...string) *Feature {
	return &Feature{
		URL:     URL{Identity: apollo + name, Name: name, Version: Version{0, minor}},
		Purpose: purpose, Directives: directives, Scalars: scalars,
	}
}

// Features are the specifications of composed directives, in the order in which a supergraph links to them.
var Features = []*Feature{
	feature("tag", 3, "", nil, "tag"),
	feature("inaccessible", 2, "SECURITY", nil, "inaccessible"),
	feature("authenticated", 1, "SECURITY", nil, "authenticated"),
	feature("requiresScopes", 1, "SECURITY", []string{"Scope"}, "requiresScopes"),
	feature("policy", 1, "SECURITY", []string{"Policy"}, "policy"),
	feature("context", 1, "SECURITY", []string{"ContextFieldValue"}, "context", "fromContext"),
	feature("cost", 1, "", nil, "cost", "listSize"),
	feature("cacheTag", 1, "EXECUTION", nil, "cacheTag"),
}

const definitions = `
2.0 directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
2.0 directive @requires(fields: FieldSet!) on FIELD_DEFINITION
2.0 directive @provides(fields: FieldSet!) on FIELD_DEFINITION
2.0 directive @external(reason: String) on OBJECT | FIELD_DEFINITION
2.0 directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
2.0 directive @extends on OBJECT | INTERFACE
2.0 directive @shareable repeatable on OBJECT | FIELD_DEFINITION
2.0 directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
2.0 directive @override(from: String!, label: String) on FIELD_DEFINITION
2.1 directive @composeDirective(name: String) repeatable on SCHEMA
2.3 directive @interfaceObject on OBJECT
2.5 directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
2.5 directive @requiresScopes(scopes: [[Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
2.6 directive @policy(policies: [[Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
2.8 directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION
2.8 directive @fromContext(field: ContextFieldValue) on ARGUMENT_DEFINITION
2.9 directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
2.9 directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
2.12 directive @cacheTag(format: String!) repeatable on OBJECT | FIELD_DEFINITION
`

// first are the directives of federation 1.
var first = []string{"key", "requires", "provides", "external", "extends", "tag"}

// Directives are all known directives, in the order of the specification.
var Directives = sync.OnceValue(func() []*Directive {
	var all []*Directive
	for line := range strings.Lines(strings.TrimSpace(definitions)) {
		since, sdl, _ := strings.Cut(line, " ")
		doc, err := schema.Parse("", "", sdl)
		if err != nil {
			panic("federation definitions: " + err.Error() + ": " + sdl)
		}
		version, _ := ParseVersion("v" + since)
		d := &Directive{Definition: doc.Directives[0], Name: doc.Directives[0].Name, Since: version}
		for _, f := range Features {
			if slices.Contains(f.Directives, d.Name) {
				d.Feature = f
			}
		}
		all = append(all, d)
	}
	return all
})

// Lookup finds a directive by its name in the specification.
func Lookup(name string) *Directive {
	for _, d := range Directives() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// In tells whether the given version of federation has the directive.
func (d *Directive) In(v Version) bool {
	if v == (Version{}) {
		return slices.Contains(first, d.Name)
	}
	return v.AtLeast(d.Since)
}

// At is the directive's definition in a version, with the types' names mapped by name.
func (d *Directive) At(v Version, name func(string) string) *schema.DirectiveDefinition {
	def := *d.Definition
	def.Arguments = nil
	for _, a := range d.Definition.Arguments {
		if d.Name == "override" && a.Name == "label" && !v.AtLeast(Version{2, 7}) {
			continue
		}
		arg := *a
		arg.Type = mapNamed(a.Type, func(n string) string {
			if slices.Contains(builtInScalars, n) {
				return n
			}
			return name(n)
		})
		def.Arguments = append(def.Arguments, &arg)
	}
	switch {
	case d.Name == "tag" && !v.AtLeast(Version{2, 3}):
		def.Locations = without(def.Locations, ast.LocationSchema)
	case d.Name == "shareable" && !v.AtLeast(Version{2, 2}):
		def.Repeatable = false
	}
	return &def
}

// Types are the scalars (by name) that federation's directives use in a version.
func Types(v Version) []string {
	types := []string{"FieldSet"}
	for _, t := range []struct {
		name  string
		since int
	}{{"Scope", 5}, {"Policy", 6}, {"ContextFieldValue", 8}} {
		if v.AtLeast(Version{2, t.since}) {
			types = append(types, t.name)
		}
	}
	return types
}

var builtInScalars = []string{"Int", "Float", "String", "Boolean", "ID"}

func without(all []ast.DirectiveLocation, gone ast.DirectiveLocation) []ast.DirectiveLocation {
	return slices.DeleteFunc(slices.Clone(all), func(l ast.DirectiveLocation) bool { return l == gone })
}

func mapNamed(t *ast.Type, name func(string) string) *ast.Type {
	c := *t
	if t.Elem != nil {
		c.Elem = mapNamed(t.Elem, name)
	} else {
		c.NamedType = name(t.NamedType)
	}
	return &c
}
