package plan_test

import (
	"fmt"
	"slices"
	"strings"
)

// draw makes the types, then hands out their fields, then gives every subgraph fields to start from.
func (d *draft) draw() {
	d.add("enum", "E0").members = []string{"A", "B", "C"}
	d.add("enum", "E1").members = []string{"P", "Q"}
	d.add("scalar", "D")
	d.add("input", "In0").members = []string{"a: Int", `b: String = "x"`, "c: [E1!]", oneOf(d, "d: In1", `d: In1 = {a: "q"}`), "e: Float = 1"}
	d.add("input", "In1").members = []string{"a: ID!", "b: [Int] = [1, 2]"}
	for i := range 1 + d.IntN(3) {
		d.values = append(d.values, fmt.Sprintf("V%d", i))
	}
	for i := range 2 + d.IntN(3) {
		d.entities = append(d.entities, fmt.Sprintf("T%d", i))
	}
	for _, name := range append(slices.Clone(d.values), d.entities...) {
		d.add("type", name)
	}
	d.drawAbstract()
	for i, name := range d.values {
		d.drawValue(d.types[name], i)
	}
	vo := d.add("type", "VO")
	vo.addField("o0", "Int", "")
	vo.addField("o1", "String", "")
	for _, name := range d.entities {
		d.drawKeys(d.types[name])
	}
	for _, name := range d.entities {
		d.drawEntity(d.types[name])
	}
	for g := d.count - d.objectHomes; g < d.count; g++ {
		d.drawObject(g)
	}
	if d.chance(25) {
		d.drawContext()
	}
	d.drawRoots()
	d.hide()
	d.guard()
}

// drawAbstract makes the interfaces and the union, and says who belongs to them.
func (d *draft) drawAbstract() {
	i0 := d.add("interface", "I0")
	i0.addField("id", "ID!", "")
	i0.addField("n0", oneOf(d, "String", "Int", "E0", "[String]"), "")
	i0.addField("n1", oneOf(d, "V0", "T0", "[V0!]", "Int", "I1"), "")
	i1 := d.add("interface", "I1")
	i1.addField("id", "ID!", "")
	i1.addField("n1", i0.field("n1").typ, "")
	u := d.add("union", "U0")
	for _, name := range append(slices.Clone(d.entities), d.values...) {
		t := d.types[name]
		if d.chance(50) && (d.objectHomes == 0 || strings.HasPrefix(name, "T")) || name == "T0" || name == "T1" {
			t.implements = append(t.implements, "I0")
		}
		if d.chance(30) {
			t.implements = append(t.implements, "I1")
		}
		if d.chance(50) || name == "T1" {
			u.members = append(u.members, name)
		}
		if len(t.implements) > 0 {
			t.addField("id", "ID!", "")
		}
	}
	if d.chance(25) {
		i0.implements = []string{"I1"}
		for _, name := range append(slices.Clone(d.entities), d.values...) {
			if t := d.types[name]; slices.Contains(t.implements, "I0") && !slices.Contains(t.implements, "I1") {
				t.implements = append(t.implements, "I1")
			}
		}
	}
}

func (d *draft) leaf() string {
	return oneOf(d, "Int", "String", "Boolean", "Float", "ID", "E0", "D", "[Int!]", "[[String]]")
}

// output is a random type of a field.
func (d *draft) output() string {
	typ := d.leaf()
	switch d.IntN(10) {
	case 0, 1, 2:
		typ = oneOf(d, d.values...)
	case 3, 4:
		typ = oneOf(d, d.entities...)
	case 5:
		typ = oneOf(d, "I0", "U0", "I1")
	}
	if !strings.Contains(typ, "[") {
		typ = oneOf(d, typ, typ, typ, typ, "["+typ+"]", "["+typ+"!]", "["+typ+"!]!", "[["+typ+"!]]")
	}
	if d.chance(25) && !strings.HasSuffix(typ, "!") {
		typ += "!"
	}
	return typ
}

func (d *draft) arguments() string {
	if d.chance(75) {
		return ""
	}
	return oneOf(d, "(a: Int)", "(a: Int = 3)", "(a: In0)", `(a: [E1!], b: String = "y")`, "(a: D)", "(a: [In0] = [{a: 1}])", "(a: Int, b: [Int!])", "(a: In0 = {})", "(a: [[In1!]] = [[{a: 7}]])", "(a: ID = 7, b: Float = 2)", "(a: E1 = Q)")
}

// common are the fields that a type has of its interfaces.
func (d *draft) common(t *draftType) {
	for _, name := range t.implements {
		for _, f := range d.types[name].fields {
			if t.field(f.name) == nil {
				typ := f.typ
				if d.chance(10) && !strings.HasSuffix(typ, "!") {
					typ += "!"
				}
				t.addField(f.name, typ, f.args)
			}
		}
	}
}

// drawValue makes a value type. It holds other value types only of higher number, so none holds itself.
func (d *draft) drawValue(t *draftType, index int) {
	d.common(t)
	t.addField("w0", d.leaf(), "")
	for i := 1; i < 2+d.IntN(3); i++ {
		typ := d.leaf()
		switch {
		case d.chance(20) && index+1 < len(d.values):
			typ = d.values[index+1]
		case d.chance(15):
			typ = oneOf(d, d.entities...)
		}
		t.addField(fmt.Sprintf("w%d", i), typ, d.arguments())
	}
}

// drawKeys says by what the objects of an entity can be told apart.
func (d *draft) drawKeys(t *draftType) {
	if t.field("id") == nil {
		t.addField("id", "ID!", "")
	}
	d.common(t)
	t.keys = []string{"id"}
	if d.chance(35) {
		t.addField("k", oneOf(d, "Int!", "String!"), "")
		t.keys = append(t.keys, oneOf(d, "k", "id k"))
	}
	if d.chance(15) {
		t.addField("e", oneOf(d, "E1!", "Boolean!", "D"), "")
		t.keys = append(t.keys, "id e")
	}
	if d.chance(15) {
		kv := "K" + t.name
		d.add("type", kv).addField("a", "ID!", "")
		d.types[kv].addField("b", "Int!", "")
		t.addField("ref", oneOf(d, kv+"!", "["+kv+"!]!"), "")
		t.keys = append(t.keys, oneOf(d, "ref { a b }", "ref { a }", "id ref { b }"))
	}
	if d.chance(15) {
		other := oneOf(d, d.entities...)
		if other != t.name {
			t.addField("owner", other+"!", "")
			t.keys = append(t.keys, oneOf(d, "owner { id }", "id owner { id }"))
		}
	}
	if d.chance(30) {
		d.Shuffle(len(t.keys), func(i, j int) { t.keys[i], t.keys[j] = t.keys[j], t.keys[i] })
	}
}

// drawEntity hands out the fields of an entity.
func (d *draft) drawEntity(t *draftType) {
	var homes []int
	for g := range d.count {
		if !d.knowsObject(g) && (d.chance(60) || g == 0) {
			homes = append(homes, g)
			d.ensure(t.name, g)
		}
	}
	for _, f := range t.fields {
		if !strings.HasPrefix(f.name, "n") {
			continue // Keys are where they are needed.
		}
		for _, g := range homes {
			if f.in[g] == nil && (d.chance(40) || g == homes[0]) {
				d.put(t, f, g, "@shareable")
			}
		}
	}
	for i := range 2 + d.IntN(4) {
		d.handOut(t, t.addField(fmt.Sprintf("f%d", i), d.output(), d.arguments()), homes)
	}
	if f := t.field("id"); !d.anywhere(f) {
		d.put(t, f, homes[0], "@shareable")
	}
}

func (d *draft) anywhere(f *draftField) bool { return len(f.in) > 0 }

// handOut gives a field to one or several subgraphs, in one of the ways that there are.
func (d *draft) handOut(t *draftType, f *draftField, homes []int) {
	g := oneOf(d, homes...)
	h := oneOf(d, homes...)
	switch way := d.IntN(100); {
	case way < 35 && d.required(t, f, g):
	case way < 45 && g != h:
		d.put(t, f, g, "@shareable")
		d.put(t, f, h, "@shareable")
	case way < 55 && g != h:
		label := ""
		if d.chance(40) {
			label = fmt.Sprintf(", label: \"l%d\"", d.labels%2)
			d.labels++
		}
		d.put(t, f, g, "")
		d.put(t, f, h, fmt.Sprintf("@override(from: %q%s)", string(rune('a'+g)), label))
	case way < 70 && g != h:
		d.put(t, f, g, "@shareable")
		d.provided(t, f, h)
	default:
		d.put(t, f, g, "")
	}
}

// provided makes a field external in a subgraph, and a root field from which it can be had there.
func (d *draft) provided(t *draftType, f *draftField, g int) {
	set := d.selection(f, g, 2)
	if f.args != "" || set == "" || strings.Contains(set, "...") && d.chance(50) {
		return
	}
	d.put(t, f, g, "@external")
	declared := t.name
	if abstract := append(slices.Clone(t.implements), "U0"); d.chance(25) && d.types["U0"].has(t.name) {
		// The path that provides leads to what may be something else.
		declared = oneOf(d, abstract...)
		set = "... on " + t.name + " { " + set + " }"
	}
	from, typ := d.query(), oneOf(d, declared, "["+declared+"!]!", declared+"!")
	if other := d.types[oneOf(d, d.entities...)]; d.chance(40) && other.in[g] != nil {
		from = other
	}
	q := from.addField(fmt.Sprintf("p%d", len(from.fields)), typ, "")
	directive := fmt.Sprintf("@provides(fields: %q)", set)
	if d.chance(25) {
		// The path that provides is longer than one field.
		box := d.add("type", fmt.Sprintf("B%d", len(d.types)))
		d.put(box, box.addField("in", typ, ""), g, "")
		q.typ = oneOf(d, box.name, "["+box.name+"]")
		directive = fmt.Sprintf("@provides(fields: %q)", "in { "+set+" }")
	}
	d.put(from, q, g, directive)
}

func (d *draft) query() *draftType {
	if d.types["Query"] == nil {
		d.add("type", "Query")
	}
	return d.types["Query"]
}

// required makes a field that requires others of its type, which are external in the subgraph.
func (d *draft) required(t *draftType, f *draftField, g int) bool {
	var sets []string
	for _, dep := range t.fields {
		if dep == f || !strings.HasPrefix(dep.name, "f") && !strings.HasPrefix(dep.name, "n") || !d.anywhere(dep) || dep.in[g] != nil && !strings.Contains(dep.in[g].directives, "external") || d.chance(40) {
			continue
		}
		args := ""
		if strings.HasPrefix(dep.args, "(a: Int") {
			args = oneOf(d, "", "(a: 1)", "(a: 2)", "(a: null)")
		} else if strings.HasPrefix(dep.args, "(a: In0") {
			args = oneOf(d, "", "(a: {a: 1, d: {a: \\\"1\\\"}})")
		}
		set := d.selection(dep, g, 2)
		if set == "" {
			continue
		}
		d.put(t, dep, g, "@external")
		sets = append(sets, strings.Replace(set, dep.name, dep.name+args, 1))
	}
	if len(sets) == 0 {
		return false
	}
	return d.put(t, f, g, "@requires(fields: \""+strings.Join(sets, " ")+"\")")
}

// selection writes a field for a field set; empty if it has nothing to select.
func (d *draft) selection(f *draftField, g, depth int) string {
	t := d.types[base(f.typ)]
	if t == nil || t.kind == "enum" || t.kind == "scalar" {
		return f.name
	}
	if depth == 0 {
		return ""
	}
	d.ensure(t.name, g)
	if t.kind == "union" {
		return d.fragments(f, t.in[g].members, g, depth)
	}
	var parts []string
	for _, below := range t.fields {
		in := below.in[g]
		if in == nil && t.kind == "type" && below.args == "" && d.anywhere(below) && d.chance(12) && d.put(t, below, g, "@external") {
			in = &declared{} // It is another subgraph's, and sent along.
		}
		if (t.kind == "type" && (in == nil || strings.Contains(in.directives, "external")) || t.kind == "interface" && below.name != "id") || below.args != "" || d.chance(40) {
			continue
		}
		if s := d.selection(below, g, depth-1); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return f.name + " { " + strings.Join(parts, " ") + " }"
}

func (d *draft) fragments(f *draftField, members []string, g, depth int) string {
	var parts []string
	for _, m := range members {
		if s := d.selection(&draftField{name: "...on " + m, typ: m}, g, depth-1); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return f.name + " { __typename " + strings.Join(parts, " ") + " }"
}
