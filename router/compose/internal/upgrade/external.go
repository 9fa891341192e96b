package upgrade

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

func drop(e *schema.Element, specs ...string) {
	e.Drop(func(d *schema.Directive) bool {
		for _, spec := range specs {
			if d.Spec == spec {
				return true
			}
		}
		return false
	})
}

// objects are the object types.
func (u *upgrader) objects() []*schema.Type {
	var all []*schema.Type
	for _, t := range u.Types {
		if t.Kind == ast.Object {
			all = append(all, t)
		}
	}
	return all
}

// fieldTexts makes strings of field sets written as lists or bare names.
func (u *upgrader) fieldTexts() {
	u.EachApplied(func(d *schema.Directive) {
		if d.Spec != "key" && d.Spec != "requires" && d.Spec != "provides" {
			return
		}
		for i, a := range d.Arguments {
			switch {
			case a.Name != "fields":
			case a.Value.Kind == ast.EnumValue:
				d.Arguments[i].Value = schema.String(a.Value.Raw)
			case a.Value.Kind == ast.ListValue:
				var parts []string
				for _, c := range a.Value.Children {
					parts = append(parts, c.Value.Raw)
				}
				d.Arguments[i].Value = schema.String(strings.Join(parts, " "))
			}
		}
	})
}

// interfaces drops what means nothing on interfaces.
func (u *upgrader) interfaces() {
	for _, t := range u.Types {
		if t.Kind != ast.Interface {
			continue
		}
		drop(&t.Element, "key")
		for _, f := range t.Fields {
			drop(&f.Element, "external", "provides", "requires")
		}
	}
}

// externalTypes drops @external from types.
func (u *upgrader) externalTypes() {
	for _, t := range u.Types {
		drop(&t.Element, "external")
	}
}

// externalKeys drops @external from the key fields of extensions: the subgraph knows their values. An extension without a
// key has those of the type's first key elsewhere.
func (u *upgrader) externalKeys() {
	for _, t := range u.objects() {
		if t.Defined && !t.Has("extends") {
			continue
		}
		keys := t.All("key")
		if len(keys) == 0 {
			keys = u.keysElsewhere(t.Name)
		}
		for _, key := range keys {
			u.EachSelected(t, key.Text("fields"), func(f *schema.Field, _ *schema.Selection) {
				if f.Parent == t {
					drop(&f.Element, "external")
				}
			})
		}
	}
}

func (u *upgrader) keysElsewhere(name string) []*schema.Directive {
	for _, other := range u.all {
		if t := other.Type(name); t != nil && other != u.Subgraph && t.Has("key") {
			return t.All("key")[:1]
		}
	}
	return nil
}

// reduce leaves in @provides and @requires only what is external.
func (u *upgrader) reduce() {
	for _, t := range u.objects() {
		for _, f := range t.Fields {
			if d := f.One("requires"); d != nil {
				u.reduceDirective(f, d, t)
			}
			if d := f.One("provides"); d != nil {
				of := u.Type(f.Type.Name())
				if of == nil || !of.IsComposite() || f.Has("external") {
					drop(&f.Element, "provides")
					continue
				}
				u.reduceDirective(f, d, of)
			}
		}
	}
}

func (u *upgrader) reduceDirective(f *schema.Field, d *schema.Directive, on *schema.Type) {
	set, err := schema.ParseFieldSet(d.Text("fields"))
	if err != nil {
		return
	}
	reduced, changed := u.externalOnly(on, set)
	switch {
	case !changed:
	case len(reduced) == 0:
		drop(&f.Element, d.Spec)
	default:
		for i := range d.Arguments {
			if d.Arguments[i].Name == "fields" {
				d.Arguments[i].Value = schema.String(reduced.String())
			}
		}
	}
}

// externalOnly is the part of a selection that is external or unknown; what is unknown is for validation to report.
func (u *upgrader) externalOnly(t *schema.Type, set schema.FieldSet) (kept schema.FieldSet, changed bool) {
	for _, sel := range set {
		on := t
		if sel.Fragment {
			if sel.On != "" {
				on = u.Type(sel.On)
			}
		} else {
			f := t.Field(sel.Field)
			if f == nil || u.external(t, f) {
				kept = append(kept, sel)
				continue
			}
			on = u.Type(f.Type.Name())
		}
		if on == nil || len(sel.Sub) == 0 {
			changed = true
			continue
		}
		sub, below := u.externalOnly(on, sel.Sub)
		changed = changed || below
		if len(sub) > 0 {
			c := *sel
			c.Sub = sub
			kept = append(kept, &c)
		}
	}
	return kept, changed
}

func (u *upgrader) external(t *schema.Type, f *schema.Field) bool {
	if f.Has("external") {
		return true
	}
	for _, o := range u.PossibleTypes(t) {
		if own := o.Field(f.Name); own != nil && own.Has("external") {
			return true
		}
	}
	return false
}

// externalTags drops @tag from an external field where the field has the same tag elsewhere.
func (u *upgrader) externalTags() {
	for _, t := range u.objects() {
		for _, f := range t.Fields {
			if !f.Has("external") {
				continue
			}
			f.Drop(func(d *schema.Directive) bool {
				return d.Spec == "tag" && u.taggedElsewhere(t.Name, f.Name, d.Text("name"))
			})
		}
	}
}

func (u *upgrader) taggedElsewhere(typ, field, tag string) bool {
	for _, other := range u.all {
		t := other.Type(typ)
		if other == u.Subgraph || t == nil || t.Field(field) == nil {
			continue
		}
		for _, d := range t.Field(field).All("tag") {
			if d.Text("name") == tag {
				return true
			}
		}
	}
	return false
}

// unusedExternal removes external fields that nothing uses, and types that become empty by it.
func (u *upgrader) unusedExternal() {
	u.Analyse()
	for _, t := range u.objects() {
		before := len(t.Fields)
		for _, f := range append([]*schema.Field(nil), t.Fields...) {
			if subgraph.MarkedExternal(f) && !u.Usage.Used[f] {
				t.RemoveField(f.Name)
			}
		}
		if len(t.Fields) > 0 || before == 0 {
			continue
		}
		if u.referenced(t.Name) {
			u.fail(report.TypeWithOnlyUnusedExternal, t,
				"Type %s contains only external fields and all those fields are all unused (they do not appear in any @key, @provides or @requires).", t.Name)
			continue
		}
		u.RemoveType(t.Name)
	}
	u.Analyse()
}

func (u *upgrader) referenced(name string) bool {
	for _, t := range u.Types {
		if t.HasMember(name) {
			return true
		}
		for _, f := range t.Fields {
			if f.Type.Name() == name {
				return true
			}
		}
	}
	return false
}
