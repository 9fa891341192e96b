// Package composetest makes random sets of subgraphs, of which about half compose: input for tests that hold composition
// against something else, be it another composition or the query planner. Equal seeds give equal sets.
package composetest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
)

// Subgraphs makes a small set of subgraphs that share types. Every other seed makes one around a single feature, such as
// contexts or chains of keys, that chance seldom gets right.
func Subgraphs(seed uint64) []compose.Subgraph {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	if seed%2 == 1 {
		return named(scenarios[int(seed/2)%len(scenarios)](g))
	}
	g.plan()
	var all []compose.Subgraph
	for i := range g.count {
		name := string(rune('a' + i))
		all = append(all, compose.Subgraph{Name: name, URL: "http://" + name, SDL: g.subgraph(i)})
	}
	return all
}

// generator holds the plan that subgraphs follow, more or less: so they fit together often enough.
type generator struct {
	*rand.Rand
	entities []entity
	values   []entity
	version  string
	fed1     bool
	// wild is how often, of 100, a subgraph departs from the plan.
	wild int
	// count is how many subgraphs there are; shared is the type of a root field that several have.
	count  int
	shared string
}

// entity is a type with fields and the subgraph that owns each.
type entity struct {
	name   string
	fields []plannedField
}

type plannedField struct {
	name, typ string
	owner     int
	shared    bool
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, all []T) T { return all[g.IntN(len(all))] }

func (g *generator) plan() {
	g.count = 2 + g.IntN(2)
	g.shared = pick(g, []string{"V", "V!", "I", "W", "E", "Int"})
	g.version = pick(g, []string{"2.0", "2.3", "2.5", "2.7", "2.9", "2.12"})
	g.fed1 = g.chance(12)
	g.wild = pick(g, []int{0, 0, 2, 5, 10})
	for _, name := range []string{"T", "U"}[:1+g.IntN(2)] {
		g.entities = append(g.entities, g.typ(name, []string{"Int", "String!", "V", "[V!]", "E", "T", "I", "W"}))
	}
	g.values = append(g.values, g.typ("V", []string{"Int", "String", "ID!", "[Int!]"}))
}

func (g *generator) typ(name string, types []string) entity {
	e := entity{name: name}
	for i := range 2 + g.IntN(3) {
		e.fields = append(e.fields, plannedField{fmt.Sprintf("%s%d", strings.ToLower(name), i), pick(g, types), g.IntN(g.count), g.chance(30)})
	}
	return e
}

// directive writes a directive where the version has it and chance wants it.
func (g *generator) directive(percent int, minor int, text string) string {
	var have int
	_, _ = fmt.Sscanf(g.version, "2.%d", &have)
	if g.fed1 || have < minor || !g.chance(percent) {
		return ""
	}
	return " " + text
}

func (g *generator) imports() string {
	names := []string{"@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@tag"}
	for _, d := range []struct {
		minor int
		name  string
	}{{3, "@interfaceObject"}, {5, "@authenticated"}, {5, "@requiresScopes"}, {6, "@policy"}, {9, "@cost"}, {9, "@listSize"}, {12, "@cacheTag"}} {
		var have int
		_, _ = fmt.Sscanf(g.version, "2.%d", &have)
		if have >= d.minor {
			names = append(names, d.name)
		}
	}
	return `["` + strings.Join(names, `", "`) + `"]`
}

// subgraph writes the SDL of the subgraph with the index.
func (g *generator) subgraph(index int) string {
	var b strings.Builder
	fed1 := g.fed1 && (index == 0 || g.chance(50))
	if !fed1 {
		b.WriteString(`extend schema @link(url: "https://specs.apollo.dev/federation/v` + g.version + `", import: ` + g.imports() + ")\n")
	}
	b.WriteString("type Query { " + g.rootFields(index) + " }\n")
	if g.chance(20) {
		b.WriteString(fmt.Sprintf("type Mutation { m%d(x: In): T%s }\n", g.IntN(2), g.directive(50, 0, "@shareable")))
	}
	for _, e := range g.entities {
		g.entity(&b, e, index, fed1)
	}
	if len(g.entities) == 1 && g.chance(g.wild) {
		b.WriteString("type U { q: Int }\n")
	}
	for _, v := range g.values {
		g.value(&b, v, fed1)
	}
	g.others(&b, index)
	return b.String()
}

func (g *generator) rootFields(index int) string {
	fields := []string{fmt.Sprintf("q%d: T%s", index, g.directive(15, 5, "@authenticated"))}
	if g.chance(40) {
		fields = append(fields, fmt.Sprintf("l%d(first: Int = %d): [%s!]%s", index, g.IntN(3), g.entities[0].name,
			g.directive(40, 9, `@listSize(slicingArguments: ["first"])`)))
	}
	if g.chance(30) {
		fields = append(fields, "s(a: Int"+pick(g, []string{"", "", "", "", "!", " = 1", ", b: In", ", c: E"})+"): "+g.shared+g.directive(97, 0, "@shareable"))
	}
	return strings.Join(fields, " ")
}

func (g *generator) entity(b *strings.Builder, e entity, index int, fed1 bool) {
	if g.chance(12) && e.name != "T" {
		b.WriteString("type " + e.name + ` @key(fields: "id", resolvable: ` + pick(g, []string{"true", "false"}) + ") { id: ID! }\n")
		if fed1 {
			return
		}
		return
	}
	key := pick(g, []string{"id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "k", g.nested(e)})
	keys := fmt.Sprintf(` @key(fields: "%s")`, key)
	if !fed1 && g.chance(10) {
		keys = fmt.Sprintf(` @key(fields: "%s", resolvable: false)`, key)
	}
	if g.chance(15) {
		keys += ` @key(fields: "id k")`
	}
	if g.chance(g.wild) {
		keys = ""
	}
	implements := ""
	if g.chance(25) {
		implements = " implements I"
	}
	extend := ""
	if index > 0 && (fed1 || g.chance(10)) {
		extend = "extend "
	}
	b.WriteString(extend + "type " + e.name + implements + keys + g.directive(6, 5, "@authenticated") + g.directive(5, 0, `@tag(name: "t")`) + " {\n")
	mark := ""
	if extend != "" && g.chance(60) {
		mark = " @external"
	}
	b.WriteString("  id: ID!" + mark + "\n")
	if strings.Contains(keys, "k\"") || g.chance(20) {
		b.WriteString("  k: Int" + g.directive(98, 0, "@shareable") + "\n")
	}
	for _, f := range e.fields {
		g.entityField(b, f, index, key)
	}
	b.WriteString("}\n")
}

// nested is a key of the entity's first field.
func (g *generator) nested(e entity) string {
	f := e.fields[0]
	switch strings.Trim(f.typ, "[]!") {
	case "V":
		return f.name + " { v0 }"
	case "T", "I":
		return f.name + " { id }"
	}
	return f.name
}

func (g *generator) entityField(b *strings.Builder, f plannedField, index int, key string) {
	typ := f.typ
	if g.chance(g.wild) {
		typ = pick(g, []string{"Int", "Int!", "String", "V", "V!", "[V]"})
	}
	composite := strings.Trim(typ, "[]!")
	for _, e := range g.entities {
		if composite == e.name && len(g.entities) == 1 && e.name == "U" {
			composite = "T"
		}
	}
	switch {
	case f.owner == index || strings.HasPrefix(key, f.name):
		shareable := ""
		if f.shared {
			shareable = g.directive(100, 0, "@shareable")
		}
		provides := ""
		if composite == "V" && g.chance(g.wild) && g.chance(20) {
			provides = ` @provides(fields: "v0")`
		}
		fmt.Fprintf(b, "  %s: %s%s%s%s%s%s\n", f.name, typ, shareable, provides, g.directive(6, 5, `@requiresScopes(scopes: [["`+pick(g, []string{"x", "y"})+`"]])`),
			g.directive(5, 0, "@inaccessible"), g.directive(8, 0, fmt.Sprintf(`@override(from: "%s"%s)`, pick(g, []string{"a", "b", "c"}[:1+g.IntN(2)]), g.label())))
	case f.shared && g.chance(50):
		fmt.Fprintf(b, "  %s: %s%s%s\n", f.name, typ, g.directive(96, 0, "@shareable"), g.directive(8, 9, fmt.Sprintf("@cost(weight: %d)", g.IntN(9))))
	case g.chance(35):
		selection := f.name
		if composite != "Int" && composite != "String" && composite != "E" {
			selection += " { " + map[string]string{"V": "v0", "T": "id", "I": "id", "W": "__typename"}[composite] + " }"
		}
		fmt.Fprintf(b, "  %s: %s @external\n  r%d%s: Int @requires(fields: \"%s\")%s\n", f.name, typ, index, f.name, selection, g.directive(20, 5, "@authenticated"))
	}
}

func (g *generator) label() string {
	if g.directive(30, 7, "x") == "" {
		return ""
	}
	return `, label: "` + pick(g, []string{"l", "percent(10)"}) + `"`
}

func (g *generator) value(b *strings.Builder, v entity, fed1 bool) {
	shareable := " @shareable"
	if fed1 || g.chance(g.wild) {
		shareable = ""
	}
	b.WriteString("type " + v.name + shareable + " {\n")
	for i, f := range v.fields {
		if i > 0 && g.chance(g.wild) {
			continue
		}
		typ := f.typ
		if g.chance(g.wild) {
			typ = pick(g, []string{"Int", "Int!", "String", "String!"})
		}
		fmt.Fprintf(b, "  %s: %s\n", f.name, typ)
	}
	b.WriteString("}\n")
}

// others writes an interface, a union, an enum and an input, each sometimes different.
func (g *generator) others(b *strings.Builder, index int) {
	b.WriteString("interface I { id: ID!" + pick(g, []string{"", "", "", "", "", "", " k: Int"}) + " }\n")
	b.WriteString("type X implements I" + g.directive(97, 0, "@shareable") + " { id: ID! k: Int x: Int" + g.directive(6, 5, "@authenticated") + " }\n")
	b.WriteString("union W = X" + pick(g, []string{"", " | V", " | V", " | T"}) + "\n")
	values := "A B"
	if g.chance(g.wild) {
		values = pick(g, []string{"A", "A B C", "B C", "A B C @inaccessible"})
	}
	if strings.Contains(values, "@") && g.fed1 {
		values = "A"
	}
	b.WriteString("enum E { " + values + " }\n")
	input := "a: Int b: String = \"x\""
	if g.chance(g.wild) {
		input = pick(g, []string{"a: Int! b: String = \"x\"", "a: Int", "a: Int b: String = \"y\"", "a: Int b: String c: E", "b: String! = \"x\"", "d: Int"})
	}
	b.WriteString("input In { " + input + " }\n")
	if g.chance(15) {
		b.WriteString("directive @exec" + pick(g, []string{"", "(a: Int)", "(a: Int!)"}) + " on FIELD" + pick(g, []string{"", " | QUERY"}) + "\n")
	}
	if g.chance(10) {
		b.WriteString(fmt.Sprintf("type Only%d { id: ID! x: Int }\n", index))
	}
}
