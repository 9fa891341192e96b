package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
)

// draft is a random set of subgraphs in the making: one schema, whose types and fields are handed out to
// subgraphs. About every second one composes.
type draft struct {
	*rand.Rand
	count int
	types map[string]*draftType
	// entities and values are the names of the types with and without keys.
	entities, values []string
	labels           int
	// objectHomes is how many subgraphs, the last ones, know the interface I0 as an object.
	objectHomes int
}

type draftType struct {
	kind, name string
	implements []string
	keys       []string
	fields     []*draftField
	// members are those of a union, or the values of an enum; in says which of them each subgraph has.
	members []string
	in      map[int]*draftPresence
}

type draftPresence struct {
	directives string
	members    []string
}

type draftField struct {
	name, typ, args string
	in              map[int]*declared
}

// declared is a field as one subgraph has it.
type declared struct{ typ, args, directives string }

const linked = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@interfaceObject", "@inaccessible", "@extends", "@context", "@fromContext", "@authenticated", "@requiresScopes", "@policy"])
`

// randomSubgraphs are small subgraphs that share types. Equal seeds give equal ones.
func randomSubgraphs(seed uint64) []compose.Subgraph {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, 4)), types: map[string]*draftType{}}
	d.count = 2 + d.IntN(3)
	if d.chance(30) {
		d.objectHomes = oneOf(d, 1, 1, 2)
		d.count += d.objectHomes
	}
	d.draw()
	out := make([]compose.Subgraph, d.count)
	for g := range out {
		name := string(rune('a' + g))
		out[g] = compose.Subgraph{Name: name, URL: "http://" + name, SDL: d.print(g)}
	}
	return out
}

func (d *draft) chance(percent int) bool { return d.IntN(100) < percent }

func oneOf[T any](d *draft, all ...T) T { return all[d.IntN(len(all))] }

func (d *draft) add(kind, name string) *draftType {
	t := &draftType{kind: kind, name: name, in: map[int]*draftPresence{}}
	d.types[name] = t
	return t
}

func (t *draftType) field(name string) *draftField {
	for _, f := range t.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (t *draftType) has(member string) bool { return slices.Contains(t.members, member) }

func (t *draftType) addField(name, typ, args string) *draftField {
	f := &draftField{name: name, typ: typ, args: args, in: map[int]*declared{}}
	t.fields = append(t.fields, f)
	return f
}

// base is the name at the bottom of a type.
func base(typ string) string { return strings.Trim(typ, "[]!") }

// knowsObject reports whether a subgraph knows the interface I0 as an object.
func (d *draft) knowsObject(g int) bool { return g >= d.count-d.objectHomes }

// allowed reports whether a subgraph may know a type: the home of an interface object may not know its
// implementers, and is kept free of everything that could lead to them.
func (d *draft) allowed(typ string, g int) bool {
	t := d.types[base(typ)]
	return !d.knowsObject(g) || t == nil || t.kind == "enum" || t.kind == "scalar" || t.kind == "input" || t.name == "VO" || t.name == "I0" || t.name == "OT"
}

// put declares a field in a subgraph, with all that its type takes. It returns false if that can't be.
func (d *draft) put(t *draftType, f *draftField, g int, directives string) bool {
	if !d.allowed(f.typ, g) {
		return false
	}
	if have := f.in[g]; have != nil {
		return false
	}
	typ := f.typ
	if d.chance(4) && strings.Contains(directives, "shareable") && !strings.HasSuffix(typ, "!") {
		typ += "!"
	}
	f.in[g] = &declared{typ: typ, args: f.args, directives: directives}
	d.ensure(t.name, g)
	d.ensure(base(f.typ), g)
	for _, name := range []string{"In0", "In1", "E1", "D"} {
		if strings.Contains(f.args, name) {
			d.ensure(name, g)
		}
	}
	return true
}

// ensure makes a type known to a subgraph.
func (d *draft) ensure(name string, g int) {
	t := d.types[name]
	if t == nil || t.in[g] != nil {
		return
	}
	t.in[g] = &draftPresence{}
	switch t.kind {
	case "type":
		d.ensureObject(t, g)
	case "interface":
		for _, i := range t.implements {
			d.ensure(i, g)
		}
		var implementers []string
		for _, e := range append(slices.Clone(d.entities), d.values...) {
			if slices.Contains(d.types[e].implements, name) && d.allowed(e, g) {
				implementers = append(implementers, e)
			}
		}
		for _, e := range d.some(implementers) {
			d.ensure(e, g)
			if f := d.types[e].field("id"); f.in[g] == nil {
				d.put(d.types[e], f, g, "@shareable")
			}
		}
	case "union":
		t.in[g].members = d.some(t.members)
		for _, m := range t.in[g].members {
			d.ensure(m, g)
		}
	case "enum":
		t.in[g].members = t.members
		if name == "E0" {
			t.in[g].members = d.some(t.members)
		}
	case "input":
		d.ensure("E1", g)
		d.ensure("In1", g)
	}
}

func (d *draft) ensureObject(t *draftType, g int) {
	if len(t.keys) > 0 {
		keys := d.some(t.keys)
		if d.chance(75) && !slices.Contains(keys, t.keys[0]) {
			keys = append(keys, t.keys[0])
		}
		for _, key := range keys {
			resolvable := ""
			if d.chance(6) {
				resolvable = ", resolvable: false"
			}
			d.keyed(t, key, g, fmt.Sprintf("@key(fields: %q%s)", key, resolvable))
		}
		return
	}
	if slices.Contains([]string{"Query", "Mutation", "Subscription"}, t.name) {
		return
	}
	for i, f := range t.fields {
		if f.in[g] == nil && (i == 0 || d.chance(95) || t.name[0] == 'K') {
			d.put(t, f, g, "@shareable")
		}
	}
}

// keyed gives a subgraph a key with its fields.
func (d *draft) keyed(t *draftType, key string, g int, directive string) {
	if strings.Contains(t.in[g].directives, fmt.Sprintf("%q", key)) {
		return
	}
	t.in[g].directives += " " + directive
	for _, f := range t.fields {
		if slices.Contains(strings.Fields(topLevel(key)), f.name) {
			d.put(t, f, g, "@shareable")
		}
	}
	if owner := t.field("owner"); strings.Contains(key, "owner") && owner != nil {
		below := d.types[base(owner.typ)]
		d.put(below, below.field("id"), g, "@shareable")
	}
}

// topLevel leaves of a field set what stands outside its braces.
func topLevel(set string) string {
	var b strings.Builder
	depth := 0
	for _, c := range set {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// some are at least one of all, in order.
func (d *draft) some(all []string) []string {
	if len(all) == 0 {
		return nil
	}
	must := d.IntN(len(all))
	var out []string
	for i, s := range all {
		if i == must || d.chance(60) {
			out = append(out, s)
		}
	}
	return out
}

// print writes the SDL of a subgraph.
func (d *draft) print(g int) string {
	var b strings.Builder
	b.WriteString(linked)
	names := make([]string, 0, len(d.types))
	for name := range d.types {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if t := d.types[name]; t.in[g] != nil {
			d.printType(&b, t, g)
		}
	}
	return b.String()
}

func (d *draft) printType(b *strings.Builder, t *draftType, g int) {
	p := t.in[g]
	switch t.kind {
	case "union":
		fmt.Fprintf(b, "union %s%s = %s\n", t.name, p.directives, strings.Join(p.members, " | "))
		return
	case "enum":
		fmt.Fprintf(b, "enum %s { %s }\n", t.name, strings.Join(p.members, " "))
		return
	case "scalar":
		fmt.Fprintf(b, "scalar %s\n", t.name)
		return
	case "input":
		fmt.Fprintf(b, "input %s { %s }\n", t.name, strings.Join(t.members, " "))
		return
	}
	kind := t.kind
	if t.name == "I0" && d.knowsObject(g) {
		kind = "type"
		p.directives = ` @key(fields: "id") @interfaceObject`
	}
	fields := d.printFields(t, g)
	if kind == "interface" {
		fields = d.interfaceFields(t, g)
	}
	implements := ""
	for _, i := range t.implements {
		if d.implementsIn(t, i, g) {
			implements += " & " + i
		}
	}
	if kind == "type" && p.directives == ` @key(fields: "id")` && (g+len(fields))%7 == 0 {
		// The way in which federation 1 wrote that a type is another's.
		kind = "extend type"
		fields = strings.Replace(fields, "  id: ID! @shareable\n", "  id: ID! @external\n", 1)
	}
	fmt.Fprintf(b, "%s %s%s%s {\n%s}\n", kind, t.name, strings.Replace(implements, " &", " implements", 1), p.directives, fields)
}

// implementsIn reports whether a type implements an interface in a subgraph: it must have all of its fields.
func (d *draft) implementsIn(t *draftType, name string, g int) bool {
	if d.types[name].in[g] == nil || d.knowsObject(g) {
		return false
	}
	f := t.field("id")
	return t.kind == "interface" || f != nil && f.in[g] != nil
}

func (d *draft) printFields(t *draftType, g int) string {
	var b strings.Builder
	for _, f := range t.fields {
		if in := f.in[g]; in != nil {
			fmt.Fprintf(&b, "  %s%s: %s %s\n", f.name, in.args, in.typ, in.directives)
		}
	}
	return b.String()
}

// interfaceFields are those that all implementers in the subgraph have.
func (d *draft) interfaceFields(t *draftType, g int) string {
	var b strings.Builder
	for _, f := range t.fields {
		all := true
		for _, e := range append(slices.Clone(d.entities), d.values...) {
			of := d.types[e]
			if of.in[g] != nil && slices.Contains(of.implements, t.name) && d.implementsIn(of, t.name, g) {
				own := of.field(f.name)
				all = all && own != nil && own.in[g] != nil
			}
		}
		if all && (f.name == "id" || d.types[base(f.typ)] == nil || d.types[base(f.typ)].in[g] != nil) {
			fmt.Fprintf(&b, "  %s%s: %s\n", f.name, f.args, f.typ)
		}
	}
	return b.String()
}
