package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Compare lists the changes from one supergraph's API schema to another's, the most severe first, then by coordinate and
// code. Its cost is linear in the size of both.
func Compare(old, new *supergraph.Supergraph) []Change {
	c := &comparison{old: old, new: new, returned: returned(new.API)}
	c.roots()
	for _, name := range names(old.API.Types, new.API.Types) {
		c.typ(old.API.Types[name], new.API.Types[name])
	}
	for _, name := range names(old.API.Directives, new.API.Directives) {
		c.directive(old.API.Directives[name], new.API.Directives[name])
	}
	slices.SortStableFunc(c.changes, func(a, b Change) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Code, b.Code))
	})
	return c.changes
}

// comparison collects changes.
type comparison struct {
	old, new *supergraph.Supergraph
	// returned are the names of the types that clients get values of in the new schema.
	returned map[string]bool
	changes  []Change
}

func returned(api *ast.Schema) map[string]bool {
	names := map[string]bool{}
	for _, t := range api.Types {
		if t.BuiltIn || t.Kind == ast.InputObject {
			continue
		}
		for _, f := range t.Fields {
			names[f.Type.Name()] = true
		}
	}
	return names
}

// add notes a change with its code's severity.
func (c *comparison) add(code Code, coordinate, format string, args ...any) {
	c.rule(rulings[code].severity, code, coordinate, format, args...)
}

// rule notes a change with a severity that is not its code's usual one.
func (c *comparison) rule(s Severity, code Code, coordinate, format string, args ...any) {
	change := Change{Severity: s, Code: code, Coordinate: coordinate, Message: fmt.Sprintf(format, args...)}
	if s > Safe {
		change.Advice = rulings[code].advice
	}
	if change.Subgraphs = owners(c.new, coordinate); change.Subgraphs == nil {
		change.Subgraphs = owners(c.old, coordinate)
	}
	c.changes = append(c.changes, change)
}

// owners are the subgraphs that define the type or field of a coordinate; nil if there is none.
func owners(sg *supergraph.Supergraph, coordinate string) []string {
	coordinate, _, _ = strings.Cut(coordinate, "(")
	name, field, isField := strings.Cut(coordinate, ".")
	t := sg.Type(name)
	if t == nil {
		return nil
	}
	var in []string
	if f := t.Field(field); f != nil {
		for i, s := range f.In {
			if s != nil && !s.External {
				in = append(in, sg.Subgraphs[i].Name)
			}
		}
	} else if !isField {
		for i, p := range t.In {
			if p != nil {
				in = append(in, sg.Subgraphs[i].Name)
			}
		}
	}
	slices.Sort(in)
	return in
}

// names are the keys of both maps, sorted.
func names[T any](a, b map[string]T) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *comparison) roots() {
	for _, root := range []struct {
		operation ast.Operation
		old, new  *ast.Definition
	}{
		{ast.Query, c.old.API.Query, c.new.API.Query},
		{ast.Mutation, c.old.API.Mutation, c.new.API.Mutation},
		{ast.Subscription, c.old.API.Subscription, c.new.API.Subscription},
	} {
		switch {
		case root.new == nil:
			// Where the type has gone, too, that says it.
			if root.old != nil && c.new.API.Types[root.old.Name] != nil {
				c.add(RootTypeRemoved, root.old.Name, "%s is no longer the root type of %s.", root.old.Name, root.operation)
			}
		case root.old == nil:
			if c.old.API.Types[root.new.Name] != nil {
				c.add(RootTypeAdded, root.new.Name, "%s is the root type of %s now.", root.new.Name, root.operation)
			}
		case root.old.Name != root.new.Name:
			c.add(RootTypeChanged, root.old.Name, "The root type of %s changed from %s to %s.", root.operation, root.old.Name, root.new.Name)
		}
	}
}

// described notes a change of description.
func (c *comparison) described(coordinate, old, new string) {
	switch {
	case old == new:
	case old == "":
		c.add(DescriptionChanged, coordinate, "%s got a description.", coordinate)
	case new == "":
		c.add(DescriptionChanged, coordinate, "The description of %s was removed.", coordinate)
	default:
		c.add(DescriptionChanged, coordinate, "The description of %s changed.", coordinate)
	}
}

// deprecated notes changes of @deprecated.
func (c *comparison) deprecated(coordinate string, old, new ast.DirectiveList) {
	before, was := deprecation(old)
	after, is := deprecation(new)
	switch {
	case !was && is:
		c.add(DeprecationAdded, coordinate, "%s was deprecated: %s", coordinate, after)
	case was && !is:
		c.add(DeprecationRemoved, coordinate, "%s is no longer deprecated.", coordinate)
	case before != after:
		c.add(DeprecationReason, coordinate, "The reason why %s is deprecated changed to: %s", coordinate, after)
	}
}

func deprecation(directives ast.DirectiveList) (reason string, deprecated bool) {
	d := directives.ForName("deprecated")
	if d == nil {
		return "", false
	}
	if a := d.Arguments.ForName("reason"); a != nil && a.Value != nil {
		return a.Value.Raw, true
	}
	return "No longer supported", true
}

// removed notes that something with directives has gone.
func (c *comparison) removed(code Code, coordinate string, directives ast.DirectiveList) {
	reason, deprecated := deprecation(directives)
	if !deprecated {
		c.add(code, coordinate, "%s was removed.", coordinate)
		return
	}
	c.add(code, coordinate, "%s was removed; it was deprecated: %s", coordinate, reason)
	c.changes[len(c.changes)-1].Advice = "Keep it until no operation uses it any more."
}
