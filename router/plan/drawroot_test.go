package plan_test

import (
	"fmt"
	"slices"
	"strings"
)

// drawObject makes a subgraph know the interface I0 as an object, and add fields to it.
func (d *draft) drawObject(g int) {
	i0 := d.types["I0"]
	// The interface's home knows all implementers, with the key.
	for _, name := range d.entities {
		t := d.types[name]
		if slices.Contains(t.implements, "I0") {
			d.ensure(name, 0)
			d.keyed(t, "id", 0, `@key(fields: "id")`)
		}
	}
	d.ensure("I0", 0)
	i0.in[0].directives = ` @key(fields: "id")`
	i0.in[g] = &draftPresence{}
	d.put(i0, i0.field("id"), g, "")
	for range 1 + d.IntN(3) {
		f := i0.addField(fmt.Sprintf("x%d", len(i0.fields)), oneOf(d, "Int", "String!", "VO", "[VO!]", "E0", "I0"), d.arguments())
		directives := ""
		if n := i0.field("n0"); d.chance(30) && d.allowed(n.typ, g) {
			d.put(i0, n, g, "@external")
			directives = `@requires(fields: "n0")`
		}
		d.put(i0, f, g, directives)
	}
	if d.chance(40) && d.types["OT"] == nil {
		// An entity of another kind, that leads to the interface.
		other := d.add("type", "OT")
		other.keys = []string{"id"}
		other.addField("id", "ID!", "")
		d.put(other, other.addField("of", oneOf(d, "I0", "[I0!]"), ""), g, "")
		d.put(other, other.addField("o", d.leaf(), ""), 0, "")
		d.put(d.query(), d.query().addField("ot", oneOf(d, "OT", "[OT!]!"), ""), oneOf(d, 0, g), "")
	}
	for range d.IntN(3) {
		q := d.query().addField(fmt.Sprintf("o%d", len(d.query().fields)), oneOf(d, "I0", "[I0!]!", "VO"), d.arguments())
		d.put(d.query(), q, g, "")
	}
}

// drawRoots gives subgraphs fields to start from.
func (d *draft) drawRoots() {
	for g := range d.count {
		for i := range 1 + d.IntN(3) {
			f := d.query().addField(fmt.Sprintf("q%d%d", g, i), d.output(), d.arguments())
			d.put(d.query(), f, g, "")
		}
	}
	for i := range d.IntN(3) {
		f := d.query().addField(fmt.Sprintf("s%d", i), d.output(), d.arguments())
		if d.chance(20) && d.count > i+1 {
			d.put(d.query(), f, i, "")
			d.put(d.query(), f, i+1, fmt.Sprintf("@override(from: %q)", string(rune('a'+i))))
			continue
		}
		for g := range d.count {
			if d.chance(60) || g == i {
				d.put(d.query(), f, g, "@shareable")
			}
		}
	}
	if d.chance(10) {
		t := d.types[oneOf(d, d.entities...)]
		d.put(t, t.addField("rt", oneOf(d, "Query", "Query!"), ""), d.home(t), "")
	}
	if d.chance(40) {
		d.drawMutation()
	}
	if d.chance(25) {
		t := d.add("type", "Subscription")
		g := d.IntN(d.count)
		d.put(t, t.addField("e0", d.output(), d.arguments()), g, "")
		d.put(t, t.addField("e1", oneOf(d, d.entities...), ""), d.IntN(d.count), "")
	}
}

func (d *draft) drawMutation() {
	t := d.add("type", "Mutation")
	payload := d.add("type", "Payload")
	payload.addField("ok", "Boolean!", "")
	payload.addField("subject", oneOf(d, d.entities...), "")
	if d.chance(60) {
		payload.addField("query", oneOf(d, "Query", "Query!"), "")
	}
	for g := range d.count {
		for i := range d.IntN(3) {
			typ := oneOf(d, "Payload", "Payload!", d.output())
			d.put(t, t.addField(fmt.Sprintf("m%d%d", g, i), typ, d.arguments()), g, "")
		}
	}
	if d.chance(20) {
		f := t.addField("ms", oneOf(d, d.entities...), "")
		d.put(t, f, 0, "@shareable")
		d.put(t, f, 1, "@shareable")
	}
}

// hide makes some things inaccessible.
func (d *draft) hide() {
	if d.chance(70) {
		return
	}
	for _, name := range append(append([]string{"Query"}, d.entities...), d.values...) {
		for _, f := range d.types[name].fields {
			if !d.chance(6) || !d.anywhere(f) || strings.HasPrefix(f.name, "n") || f.name == "id" || f.name == "cp" {
				continue
			}
			for g := range d.count {
				if f.in[g] != nil && !strings.Contains(f.in[g].directives, "external") {
					f.in[g].directives += " @inaccessible"
				}
			}
		}
	}
	if in := d.types["In0"]; d.chance(30) {
		in.members[4] += " @inaccessible"
	}
	if e := d.types["E1"]; d.chance(15) {
		e.members[1] += " @inaccessible"
	}
	if u := d.types["U0"]; d.chance(20) && len(d.values) > 1 && !slices.Contains(u.members, "V1") {
		t := d.types["V1"]
		for g := range d.count {
			if t.in[g] != nil {
				t.in[g].directives += " @inaccessible"
			}
		}
	}
	for g := range d.count {
		if p := d.types["E0"].in[g]; p != nil && d.chance(50) && slices.Contains(p.members, "C") {
			p.members = slices.Clone(p.members)
			p.members[slices.Index(p.members, "C")] = "C @inaccessible"
		}
	}
}

// drawContext makes an entity set a context, and one below it take an argument from there.
func (d *draft) drawContext() {
	g := d.IntN(d.count)
	if d.knowsObject(g) {
		g = 0
	}
	user := d.add("type", "CU")
	user.keys = []string{"id"}
	user.addField("id", "ID!", "")
	prop := oneOf(d, "Int", "String", "ID", "Boolean", "E1", "[Int!]", "String!")
	nested := d.chance(25)
	if nested {
		d.add("type", "CV").addField("cp", prop, "")
	}
	var parts []string
	for i, name := range d.some(d.entities) {
		t := d.types[name]
		if i > 1 || !d.allowed(name, g) {
			continue
		}
		d.ensure(name, g)
		t.in[g].directives += ` @context(name: "ctx")`
		d.put(t, t.addField("cp", prop, ""), g, "")
		selected := "cp"
		if nested {
			selected = "cv { cp }"
			d.put(t, t.addField("cv", oneOf(d, "CV", "CV!"), ""), g, "")
		}
		parts = append(parts, "... on "+name+" { "+selected+" }")
		d.put(t, t.addField("cu", oneOf(d, "CU", "[CU!]", "CU!", "[[CU]]"), ""), d.home(t), "")
	}
	if len(parts) == 1 {
		parts[0] = strings.TrimSuffix(strings.SplitN(parts[0], "{ ", 2)[1], " }")
	}
	for i := range 1 + d.IntN(2) {
		f := user.addField(fmt.Sprintf("c%d", i), d.leaf(), "")
		args := fmt.Sprintf("(x: %s @fromContext(field: \"$ctx { %s }\"))", strings.TrimSuffix(prop, "!"), strings.Join(parts, " "))
		if d.chance(20) {
			args = "(a: Int, " + args[1:]
		}
		if d.put(user, f, g, "") {
			f.in[g].args = args
		}
	}
	d.put(user, user.addField("co", d.leaf(), ""), d.home(user), "")
	d.put(user, user.addField("cn", oneOf(d, "CU", "[CU]"), ""), d.home(user), "")
}

// home is a subgraph that knows a type.
func (d *draft) home(t *draftType) int {
	var homes []int
	for g := range d.count {
		if t.in[g] != nil {
			homes = append(homes, g)
		}
	}
	return oneOf(d, homes...)
}
