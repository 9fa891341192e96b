package subgraph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// fieldSetRule says how one of @key, @requires and @provides may be used.
type fieldSetRule struct {
	directive string
	// codes for a value that is no string, that does not fit the type, that holds directives.
	notString, invalid, directives report.Code
	// hasArguments forbids fields with arguments where not empty.
	hasArguments report.Code
	// external demands that leaves are external where not empty.
	external report.Code
	// abstract forbids interfaces and unions where not empty.
	abstract report.Code
}

// fieldSetUse is one application that is being checked.
type fieldSetUse struct {
	*fieldSetRule
	s         *Subgraph
	on        string
	owner     string
	directive *schema.Directive
	failed    bool
}

func (u *fieldSetUse) fail(code report.Code, pos *ast.Position, format string, args ...any) {
	u.failed = true
	literal := "@" + u.directive.Name + "(fields: " + schema.FormatValue(u.directive.Argument("fields")) + ")"
	u.s.errorf(code, u.owner, u.directive.Position, "On "+u.on+` "`+u.owner+`", for `+strings.ReplaceAll(literal, "%", "%%")+": "+format, args...)
	if pos != nil {
		last := u.s.problems[len(u.s.problems)-1]
		last.Nodes = append(last.Nodes, u.s.Node(pos))
	}
}

// check validates the field set of an application on parent. It stops at the first thing wrong in it.
func (r *fieldSetRule) check(s *Subgraph, on, owner string, parent *schema.Type, d *schema.Directive) {
	u := &fieldSetUse{fieldSetRule: r, s: s, on: on, owner: owner, directive: d}
	v := d.Argument("fields")
	if v == nil {
		return
	}
	if v.Kind != ast.StringValue && v.Kind != ast.BlockValue {
		u.fail(r.notString, d.Position, `Invalid value for argument "fields": must be a string.`)
		return
	}
	set, err := schema.ParseFieldSet(v.Raw)
	if err != nil {
		u.fail(r.invalid, nil, "%s", syntaxMessage(err.Message))
		return
	}
	u.selections(parent, set, false)
}

func syntaxMessage(message string) string {
	return "Syntax Error: " + strings.TrimPrefix(message, "Syntax Error: ")
}

func (u *fieldSetUse) selections(t *schema.Type, set schema.FieldSet, outerExternal bool) {
	for _, sel := range set {
		if u.failed {
			return
		}
		if len(sel.Directives) > 0 {
			u.directiveInside(sel)
			return
		}
		if sel.Fragment {
			u.fragment(t, sel, outerExternal)
		} else {
			u.field(t, sel, outerExternal)
		}
	}
}

func (u *fieldSetUse) directiveInside(sel *schema.Selection) {
	name := sel.Directives[0]
	if name != "skip" && name != "include" && name != "defer" && u.s.Directive(name) == nil {
		u.fail(u.invalid, nil, `Unknown directive "@%s"`, name)
		return
	}
	u.fail(u.directives, nil, "cannot have directive applications in the @%s(fields:) argument but found %s.", u.fieldSetRule.directive, sel.Applied)
}

func (u *fieldSetUse) fragment(t *schema.Type, sel *schema.Selection, outerExternal bool) {
	on := t
	if sel.On != "" {
		on = u.s.Type(sel.On)
		switch {
		case strings.HasPrefix(sel.On, "..."):
			u.fail(u.invalid, nil, `Unknown fragment "%s"`, strings.TrimPrefix(sel.On, "..."))
			return
		case on == nil:
			u.fail(u.invalid, nil, `Unknown type "%s".%s`, sel.On, schema.DidYouMean(sel.On, u.s.compositeNames()))
			return
		case !u.s.Overlap(t, on):
			u.fail(u.invalid, nil, `Invalid fragment type condition "%s": it has no runtime intersection with type "%s"`, sel.On, t.Name)
			return
		}
	}
	u.selections(on, sel.Sub, outerExternal)
}

func (u *fieldSetUse) field(t *schema.Type, sel *schema.Selection, outerExternal bool) {
	if sel.Field == "__typename" {
		return
	}
	f := t.Field(sel.Field)
	if f == nil {
		advice := "if the field is defined in another subgraph, you need to add it to this subgraph with @external"
		if u.fieldSetRule.directive == "key" {
			advice = "the field should either be added to this subgraph or, if it should not be resolved by this subgraph, you need to add it to this subgraph with @external"
		}
		u.fail(u.invalid, t.Position, `Cannot query field "%s" on type "%s" (%s).%s`, sel.Field, t.Name, advice, schema.DidYouMean(sel.Field, t.FieldNames()))
		return
	}
	if sel.Alias != "" {
		u.fail(u.invalid, nil, `Cannot use alias "%s" in "%s": aliases are not currently supported in @%s`, sel.Alias, sel.String(), u.fieldSetRule.directive)
		return
	}
	if len(f.Arguments) > 0 && u.hasArguments != "" {
		u.fail(u.hasArguments, f.Position, "field %s cannot be included because it has arguments (fields with argument are not allowed in @%s)",
			f.Coordinate(), u.fieldSetRule.directive)
		return
	}
	u.arguments(f, sel)
	if !u.failed {
		u.below(t, f, sel, outerExternal)
	}
}

// below checks what is selected of the field's type.
func (u *fieldSetUse) below(t *schema.Type, f *schema.Field, sel *schema.Selection, outerExternal bool) {
	of := u.s.Type(f.Type.Name())
	composite := of != nil && of.IsComposite()
	switch {
	case composite && of.IsAbstract() && u.abstract != "":
		kind := "Interface"
		if of.Kind == ast.Union {
			kind = "Union"
		}
		u.fail(u.abstract, nil, `field "%s" is a %s type which is not allowed in @key`, f.Coordinate(), kind)
		return
	case composite && len(sel.Sub) == 0:
		u.fail(u.invalid, f.Position, `Invalid empty selection set for field "%s" of non-leaf type %s`, f.Coordinate(), f.Type)
		return
	case !composite && len(sel.Sub) > 0:
		u.fail(u.invalid, f.Position, `Unexpected selection set %s on field "%s" of leaf type %s`, "{ "+sel.Sub.String()+" }", f.Coordinate(), f.Type)
		return
	}
	external := outerExternal || u.s.externalHere(t, f)
	if composite {
		u.selections(of, sel.Sub, external)
		return
	}
	if u.external != "" && !external {
		u.fail(u.external, f.Position, `field "%s" should not be part of a @%s since it is already provided by this subgraph (it is not marked @external)`,
			f.Coordinate(), u.fieldSetRule.directive)
	}
}

// compositeNames are the names of the types that a fragment can be on.
func (s *Subgraph) compositeNames() []string {
	var names []string
	for _, t := range s.Types {
		if t.IsComposite() {
			names = append(names, t.Name)
		}
	}
	return names
}

// externalHere tells whether a field counts as external in a field set: an interface's field does where any of its
// implementations is external.
func (s *Subgraph) externalHere(t *schema.Type, f *schema.Field) bool {
	if s.IsExternal(f) || s.Usage.fake[f] && MarkedExternal(f) {
		return true
	}
	if t.Kind != ast.Interface {
		return false
	}
	for _, o := range s.PossibleTypes(t) {
		if own := o.Field(f.Name); own != nil && s.IsExternal(own) {
			return true
		}
	}
	return false
}

// arguments checks the arguments that a selection gives a field.
func (u *fieldSetUse) arguments(f *schema.Field, sel *schema.Selection) {
	for _, a := range sel.Arguments {
		def := f.Argument(a.Name)
		if def == nil {
			u.fail(u.invalid, nil, `Unknown argument "%s" found in value: "%s" has no argument named "%s"`, a.Name, f.Coordinate(), a.Name)
			return
		}
		if why := u.s.valueProblem(a.Value, def.Type); why != "" {
			u.fail(u.invalid, nil, `Invalid value for argument "%s": %s`, a.Name, why)
			return
		}
	}
	for _, def := range f.Arguments {
		if def.Type.NonNull && def.Default == nil && sel.Arguments.ForName(def.Name) == nil && !def.Has("fromContext") {
			u.fail(u.invalid, nil, `Missing mandatory value for argument "%s" of field "%s" in selection "%s"`, def.Name, f.Coordinate(), sel)
			return
		}
	}
}
