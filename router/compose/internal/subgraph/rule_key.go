package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var keyRule = &fieldSetRule{
	directive: "key", notString: report.KeyInvalidFieldsType, invalid: report.KeyInvalidFields,
	directives: report.KeyDirectiveInFieldsArg, hasArguments: report.KeyFieldsHasArgs, abstract: report.KeyFieldsSelectInvalidType,
}

// keyFields checks every @key(fields:).
func keyFields(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, d := range t.All("key") {
			if t.Kind == ast.Interface && !s.Fed1() && !s.Version.AtLeast(keysOnInterfaces) {
				s.errorf(report.KeyUnsupportedOnInterface, t.Name, d.Position,
					`Cannot use @%s on interface "%s": @%s is not yet supported on interfaces`, d.Name, t.Name, d.Name)
			}
			keyRule.check(s, "type", t.Name, t, d)
		}
	}
}

// keyOnInterface wants each key of an interface on all its local implementations, resolvable if the interface's is.
func keyOnInterface(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Interface {
			continue
		}
		for _, key := range t.All("key") {
			for _, o := range s.PossibleTypes(t) {
				s.implementationKey(t, key, o)
			}
		}
	}
}

func (s *Subgraph) implementationKey(t *schema.Type, key *schema.Directive, o *schema.Type) {
	same := SameKey(o, key)
	literal := "@" + key.Name + "(fields: " + schema.FormatValue(key.Argument("fields")) + ")"
	switch {
	case same == nil:
		s.errorf(report.InterfaceKeyNotOnImplementation, o.Name, o.Position,
			`Key %s on interface type "%s" is missing on implementation type "%s".`, literal, t.Name, o.Name)
	case key.Flag("resolvable", true) && !same.Flag("resolvable", true):
		s.errorf(report.InterfaceKeyNotOnImplementation, o.Name, o.Position,
			`Key %s on interface type "%s" should be resolvable on all implementation types, but is declared with argument "@%s(resolvable:)" set to false in type "%s".`,
			literal, t.Name, key.Name, o.Name)
	}
}

// SameKey is the key of t that selects the same fields as key, or nil.
func SameKey(t *schema.Type, key *schema.Directive) *schema.Directive {
	want := canonical(key.Text("fields"))
	for _, own := range t.All("key") {
		if canonical(own.Text("fields")) == want {
			return own
		}
	}
	return nil
}

// canonical is a field set in a form that does not depend on spelling or order.
func canonical(text string) string {
	set, err := schema.ParseFieldSet(text)
	if err != nil {
		return text
	}
	return set.Canonical()
}

// interfaceObjectKey wants a key with @interfaceObject.
func interfaceObjectKey(s *Subgraph) {
	for _, t := range s.Types {
		if t.Has("interfaceObject") && !t.Has("key") {
			s.errorf(report.InterfaceObjectUsageError, t.Name, t.Position,
				`The @%s directive can only be applied to entity types but type "%s" has no @key in this subgraph.`, t.One("interfaceObject").Name, t.Name)
		}
	}
}
