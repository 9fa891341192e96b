package composetest

import (
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
)

// scenario makes subgraphs around one feature that the general plan seldom gets right by chance.
type scenario func(*generator) []string

var scenarios = []scenario{interfaceObjects, contexts, keyChains, progressive, federation1, accessControl}

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v%s", import: [%s])
`

func header(version string, directives ...string) string {
	return fmt.Sprintf(link, version, `"`+strings.Join(directives, `", "`)+`"`)
}

// maybe is the text in so many cases of 100, else empty.
func (g *generator) maybe(percent int, text string) string {
	if g.chance(percent) {
		return text
	}
	return ""
}

func named(sdls []string) []compose.Subgraph {
	var all []compose.Subgraph
	for i, sdl := range sdls {
		name := string(rune('a' + i))
		all = append(all, compose.Subgraph{Name: name, URL: "http://" + name, SDL: sdl})
	}
	return all
}

// interfaceObjects: an interface with a key, one or two subgraphs that know it as an object, and implementations elsewhere.
func interfaceObjects(g *generator) []string {
	head := header("2.7", "@key", "@interfaceObject", "@shareable", "@external", "@requires", "@provides", "@override", "@tag", "@inaccessible", "@authenticated")
	key := ` @key(fields: "id"` + g.maybe(15, ", resolvable: false") + ")"
	a := head + "type Query { i: I" + g.maybe(40, " is: [I!]!") + " }\ninterface I" + g.maybe(95, key) + " { id: ID! n: Int" + g.maybe(20, " x: Int") + " }\n" +
		`type A implements I @key(fields: "id") { id: ID! n: Int` + g.maybe(40, " x: Int"+g.maybe(60, " @shareable")) + g.maybe(20, " own: Int"+g.maybe(30, " @authenticated")) + " }\n" +
		g.maybe(60, `type B implements I @key(fields: "id") { id: ID! n: Int `+g.maybe(50, "x: Int ")+"}\n")
	b := head + "type I @interfaceObject" + g.maybe(92, ` @key(fields: "id"`+g.maybe(15, ", resolvable: false")+")") + " { id: ID! " +
		g.maybe(80, "x: Int"+g.maybe(50, " @shareable")+g.maybe(10, ` @override(from: "a")`)+g.maybe(15, " @tag(name: \"t\")")+g.maybe(10, " @inaccessible")+" ") +
		g.maybe(50, "y(arg: Int"+g.maybe(20, "!")+"): String"+g.maybe(20, " @authenticated")+" ") + g.maybe(40, "n: Int @external z: Int @requires(fields: \"n\") ") + "}\n" +
		g.maybe(60, "type Query { fromB: I"+g.maybe(30, "!")+" }\n") + g.maybe(5, `type A @key(fields: "id") { id: ID! }`)
	all := []string{a, b}
	if g.chance(50) {
		all = append(all, head+pick(g, []string{
			`type I @interfaceObject @key(fields: "id") { id: ID! w: Int x: Int @shareable } type Query { fromC: [I] }`,
			`type A @key(fields: "id") { id: ID! extra: Int } type Query { anA: A }`,
			`interface I { id: ID! } type C implements I @key(fields: "id") { id: ID! c: Int } type Query { c: C }`,
			`interface I @key(fields: "id") { id: ID! } type A implements I @key(fields: "id") { id: ID! ca: Int } type Query { ci: I }`,
		}))
	}
	return all
}

// contexts: a context that is set on one to three types and used below them.
func contexts(g *generator) []string {
	head := header("2.8", "@key", "@context", "@fromContext", "@shareable", "@external", "@requires")
	selection := pick(g, []string{"{ p }", "{ p }", "{ ... on T { p } }", "{ ... on T { p } ... on S { q } }", "{ n { v } }", "{ z }", "{ p q }"})
	argument := "(x: " + pick(g, []string{"Int", "Int", "Int!", "String"}) + ` @fromContext(field: "$` + pick(g, []string{"c", "c", "c", "c", "d"}) + " " + selection + `")` + g.maybe(30, " other: Int") + ")"
	a := head + "type Query { t: T " + g.maybe(30, "s: S ") + g.maybe(15, "u: U ") + "}\n" +
		`type T @context(name: "c")` + g.maybe(50, ` @key(fields: "id")`) + " { id: ID! p: Int" + g.maybe(40, "!") + " n: N u: U us: [U!] }\n" +
		"type S" + g.maybe(40, ` @context(name: "c")`) + " { q: Int p: Int n: N " + g.maybe(60, "u: U ") + "}\ntype N { v: Int }\n" +
		"type U" + g.maybe(92, ` @key(fields: "id"`+g.maybe(8, ", resolvable: false")+")") + " { id: ID! f" + argument + ": Int" + g.maybe(25, " @shareable") + " deep: U }\n"
	b := head + "type Query { other: Int " + g.maybe(30, "u2: U ") + "}\n" +
		g.maybe(60, `type U @key(fields: "id") { id: ID! g: Int `+g.maybe(30, "f(x: Int"+g.maybe(30, "!")+"): Int @shareable ")+"}\n") +
		g.maybe(30, `type T @key(fields: "id") { id: ID! tb: Int }`)
	return []string{a, b}
}

// keyChains: an entity that is known by different keys in different subgraphs, some of them nested.
func keyChains(g *generator) []string {
	head := header("2.4", "@key", "@shareable", "@external", "@requires", "@provides")
	keys := []string{"a", "b", "c", "a b", "n { v }", "n { m { v } }"}
	var all []string
	for i := range 3 + g.IntN(2) {
		var b strings.Builder
		b.WriteString(head)
		if i == 0 || g.chance(25) {
			fmt.Fprintf(&b, "type Query { q%d: T }\n", i)
		}
		b.WriteString("type T")
		used := map[string]bool{}
		for range 1 + g.IntN(3) {
			k := pick(g, keys)
			used[strings.Fields(k)[0]] = true
			if k == "a b" {
				used["b"] = true
			}
			fmt.Fprintf(&b, ` @key(fields: "%s"%s)`, k, g.maybe(12, ", resolvable: false"))
		}
		b.WriteString(" {\n")
		for _, f := range []string{"a", "b", "c"} {
			if used[f] || g.chance(10) {
				fmt.Fprintf(&b, "  %s: ID! @shareable\n", f)
			}
		}
		if used["n"] {
			b.WriteString("  n: N! @shareable\n")
		}
		fmt.Fprintf(&b, "  own%d: Int\n", i)
		if g.chance(25) && i > 0 {
			fmt.Fprintf(&b, "  own0: Int @external\n  req%d: Int @requires(fields: \"own0\")\n", i)
		}
		b.WriteString("}\n")
		if used["n"] {
			b.WriteString("type N @shareable { v: ID! m: M! }\ntype M @shareable { v: ID! }\n")
		}
		all = append(all, b.String())
	}
	return all
}

// progressive: overrides with labels, over two or three subgraphs.
func progressive(g *generator) []string {
	head := header("2.7", "@key", "@shareable", "@external", "@requires", "@provides", "@override")
	label := func() string { return `, label: "` + pick(g, []string{"l1", "l2", "percent(5)"}) + `"` }
	a := head + "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int" + g.maybe(60, ` @override(from: "b"`+g.maybe(75, label())+")") + " y: V" + g.maybe(50, ` @override(from: "`+pick(g, []string{"b", "c"})+`"`+g.maybe(60, label())+")") + " }\ntype V @shareable { v: Int " + g.maybe(20, "w: Int ") + "}\n"
	b := head + "type Query { t2: T } type T @key(fields: \"id\"" + g.maybe(15, ", resolvable: false") + ")" + g.maybe(20, ` @key(fields: "x")`) + " { id: ID! " + g.maybe(85, "x: Int ") + g.maybe(50, "y: V ") + "b: Int }\ntype V @shareable { v: Int }\n"
	c := head + `type T @key(fields: "id") { id: ID! ` + g.maybe(40, "x: Int @external rx: Int @requires(fields: \"x\") ") + g.maybe(40, "y: V @external ry: Int @requires(fields: \"y { v }\") ") + g.maybe(15, "y: V ") + "c: Int }\ntype V @shareable { v: Int }\n"
	return []string{a, b, c}[:2+g.IntN(2)]
}

// federation1: extensions, external keys, provides and value types without a link.
func federation1(g *generator) []string {
	a := "type Query { t: T v: V " + g.maybe(20, "i: I ") + "}\ntype T @key(fields: \"id\")" + g.maybe(20, ` @key(fields: "k")`) + " { id: ID! k: Int name: String v: V " + g.maybe(20, `u: U @provides(fields: "n")`) + " }\ntype V { a: Int" + g.maybe(30, "!") + " b: Int }\n" +
		"interface I { id: ID! } " + g.maybe(50, "extend ") + "type U" + g.maybe(80, ` @key(fields: "id")`) + " { id: ID! @external n: Int" + g.maybe(70, " @external") + " }\n"
	b := g.maybe(60, "extend ") + "type Query { u: U }\n" + pick(g, []string{"extend type T", "extend type T", "type T @extends", "type T"}) + g.maybe(88, ` @key(fields: "`+pick(g, []string{"id", "id", "k"})+`")`) + " { id: ID!" + g.maybe(80, " @external") + " k: Int" + g.maybe(80, " @external") + " name: String" + g.maybe(70, " @external") +
		g.maybe(60, " up: String @requires(fields: \""+pick(g, []string{"name", "name k", "v { a }"})+"\")") + g.maybe(40, " v: V"+g.maybe(60, " @external")) + " extra: Int }\ntype V { a: Int " + g.maybe(80, "b: Int ") + "}\ntype U @key(fields: \"id\") { id: ID! n: Int }\n"
	if g.chance(30) {
		return []string{a, b, header("2.3", "@key", "@shareable", "@external") + `type V @shareable { a: Int b: Int } type T @key(fields: "id") { id: ID! name: String` + g.maybe(70, " @shareable") + " third: Int }"}
	}
	return []string{a, b}
}

// accessControl: requirements on types, fields and implementations, and requires that cross them.
func accessControl(g *generator) []string {
	head := header("2.6", "@key", "@shareable", "@external", "@requires", "@authenticated", "@requiresScopes", "@policy", "@inaccessible", "@tag")
	auth := func(percent int) string {
		return g.maybe(percent, pick(g, []string{" @authenticated", ` @requiresScopes(scopes: [["a"]])`, ` @requiresScopes(scopes: [["a", "b"], ["c"]])`, ` @policy(policies: [["p"]])`, ` @policy(policies: [["p"], ["q"]])`}))
	}
	a := head + "type Query { i: I t: T" + auth(20) + " }\ninterface I { id: ID! n: Int }\ninterface J implements I { id: ID! n: Int }\n" +
		`type T implements I & J @key(fields: "id")` + auth(30) + " { id: ID! n: Int" + auth(40) + " s: S" + auth(20) + " }\n" +
		"type X implements I" + auth(40) + " { id: ID! n: Int" + auth(40) + g.maybe(10, " @tag(name: \"t\")") + " }\nscalar S" + auth(30) + "\nenum E" + auth(20) + " { A }\n"
	b := head + `type T @key(fields: "id")` + auth(20) + " { id: ID! n: Int @external s: S @external r: Int @requires(fields: \"" + pick(g, []string{"n", "s", "n s"}) + "\")" + auth(50) + auth(0) + " e: E" + auth(20) + " }\nscalar S" + auth(20) + "\nenum E { A }\n" +
		g.maybe(40, "type Query { i2: I } interface I { id: ID! } type Y implements I"+auth(50)+" { id: ID! n: Int }\n")
	return []string{a, b}
}
