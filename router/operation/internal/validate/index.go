package validate

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// document is a document with all its nodes in lists, and the errors found so far.
type document struct {
	api         *ast.Schema
	ast         *ast.QueryDocument
	config      Config
	definitions []*definition
	operations  []*definition
	fragments   map[string]*definition
	errors      gqlerror.List
}

// definition is one operation or fragment, with the nodes of its own text.
type definition struct {
	operation *ast.OperationDefinition
	fragment  *ast.FragmentDefinition

	fields     []*ast.Field
	inlines    []*ast.InlineFragment
	spreads    []*ast.FragmentSpread
	directives []directives
	// values are the outermost values: of arguments and of variables' defaults.
	values []*ast.Value
	// variables are the uses of variables, at any depth of values.
	variables []*ast.Value
	// objects are the input objects, at any depth of values.
	objects []*ast.Value
}

// directives are those of one node.
type directives struct {
	list     ast.DirectiveList
	location ast.DirectiveLocation
}

func (d *definition) name() string {
	if d.operation != nil {
		return d.operation.Name
	}
	return d.fragment.Name
}

// index reads the whole document once and resolves its nodes. Of fragments with one name, the first counts.
func index(api *ast.Schema, doc *ast.QueryDocument) *document {
	d := &document{api: api, ast: doc, fragments: map[string]*definition{}}
	for _, op := range doc.Operations {
		def := &definition{operation: op}
		d.operations = append(d.operations, def)
		d.definitions = append(d.definitions, def)
	}
	for _, f := range doc.Fragments {
		def := &definition{fragment: f}
		d.definitions = append(d.definitions, def)
		if d.fragments[f.Name] == nil {
			d.fragments[f.Name] = def
		}
	}
	for _, def := range d.definitions {
		x := indexer{document: d, definition: def}
		x.read()
	}
	return d
}

type indexer struct {
	document   *document
	definition *definition
}

func (x indexer) read() {
	api := x.document.api
	if f := x.definition.fragment; f != nil {
		f.Definition = api.Types[f.TypeCondition]
		x.directives(f.Directives, ast.LocationFragmentDefinition)
		x.selections(f.Definition, f.SelectionSet)
		return
	}
	op := x.definition.operation
	for _, v := range op.VariableDefinitions {
		v.Definition = api.Types[v.Type.Name()]
		x.directives(v.Directives, ast.LocationVariableDefinition)
		if v.DefaultValue != nil {
			x.value(v.DefaultValue, v.Type, false)
			x.definition.values = append(x.definition.values, v.DefaultValue)
		}
	}
	root, location := operationType(api, op.Operation)
	x.directives(op.Directives, location)
	x.selections(root, op.SelectionSet)
}

// operationType returns the root type of a kind of operation; nil if the schema has none.
func operationType(api *ast.Schema, kind ast.Operation) (*ast.Definition, ast.DirectiveLocation) {
	switch kind {
	case ast.Mutation:
		return api.Mutation, ast.LocationMutation
	case ast.Subscription:
		return api.Subscription, ast.LocationSubscription
	}
	return api.Query, ast.LocationQuery
}

var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)}

func (x indexer) selections(parent *ast.Definition, set ast.SelectionSet) {
	api := x.document.api
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			x.field(parent, s)
		case *ast.InlineFragment:
			s.ObjectDefinition = parent
			inner := parent
			if s.TypeCondition != "" {
				inner = api.Types[s.TypeCondition]
			}
			x.definition.inlines = append(x.definition.inlines, s)
			x.directives(s.Directives, ast.LocationInlineFragment)
			x.selections(inner, s.SelectionSet)
		case *ast.FragmentSpread:
			s.ObjectDefinition = parent
			if def := x.document.fragments[s.Name]; def != nil {
				s.Definition = def.fragment
			}
			x.definition.spreads = append(x.definition.spreads, s)
			x.directives(s.Directives, ast.LocationFragmentSpread)
		}
	}
}

func (x indexer) field(parent *ast.Definition, f *ast.Field) {
	f.ObjectDefinition = parent
	switch {
	case parent == nil:
	case f.Name == "__typename" && parent.IsCompositeType():
		f.Definition = typename
	default:
		f.Definition = parent.Fields.ForName(f.Name)
	}
	x.definition.fields = append(x.definition.fields, f)
	var arguments ast.ArgumentDefinitionList
	var result *ast.Definition
	if f.Definition != nil {
		arguments = f.Definition.Arguments
		result = x.document.api.Types[f.Definition.Type.Name()]
	}
	x.arguments(f.Arguments, arguments)
	x.directives(f.Directives, ast.LocationField)
	x.selections(result, f.SelectionSet)
}

func (x indexer) directives(list ast.DirectiveList, location ast.DirectiveLocation) {
	if len(list) == 0 {
		return
	}
	x.definition.directives = append(x.definition.directives, directives{list, location})
	for _, d := range list {
		d.Definition, d.Location = x.document.api.Directives[d.Name], location
		var arguments ast.ArgumentDefinitionList
		if d.Definition != nil {
			arguments = d.Definition.Arguments
		}
		x.arguments(d.Arguments, arguments)
	}
}

func (x indexer) arguments(list ast.ArgumentList, definitions ast.ArgumentDefinitionList) {
	for _, a := range list {
		if def := definitions.ForName(a.Name); def != nil {
			x.value(a.Value, def.Type, def.DefaultValue != nil)
		} else {
			x.value(a.Value, nil, false)
		}
		x.definition.values = append(x.definition.values, a.Value)
	}
}

// value resolves a value and those in it; typ is nil where none is known: below an error, or within a custom
// scalar.
func (x indexer) value(v *ast.Value, typ *ast.Type, hasDefault bool) {
	v.ExpectedType, v.ExpectedTypeHasDefault = typ, hasDefault
	var named *ast.Definition
	if typ != nil {
		named = x.document.api.Types[typ.Name()]
	}
	v.Definition = named
	switch v.Kind {
	case ast.Variable:
		x.definition.variables = append(x.definition.variables, v)
	case ast.ListValue:
		var item *ast.Type
		if typ != nil {
			item = typ.Elem
		}
		for _, c := range v.Children {
			x.value(c.Value, item, false)
		}
	case ast.ObjectValue:
		x.definition.objects = append(x.definition.objects, v)
		for _, c := range v.Children {
			var field *ast.FieldDefinition
			if named != nil && named.Kind == ast.InputObject {
				field = named.Fields.ForName(c.Name)
			}
			if field == nil {
				x.value(c.Value, nil, false)
				continue
			}
			x.value(c.Value, field.Type, field.DefaultValue != nil)
		}
	}
}
