package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

type element = schema.Element

func typeElement(t *schema.Type) *element { return &t.Element }

// addTypes adds every type of every subgraph, still without content, and checks that subgraphs agree on its kind.
func (m *merger) addTypes() {
	for i, s := range m.Subgraphs {
		for _, t := range s.Types {
			m.sources[t.Name] = append(m.sources[t.Name], source[*schema.Type]{i, t})
			if m.Type(t.Name) == nil {
				m.AddType(&schema.Type{Name: t.Name, Kind: t.Kind})
			}
		}
	}
	for _, t := range m.Types {
		if !m.Machinery[t.Name] {
			m.kind(t)
		}
	}
	m.addQueryEverywhere()
}

// addQueryEverywhere: every subgraph has a query type, be it only for federation's own fields.
func (m *merger) addQueryEverywhere() {
	query := m.Type("Query")
	if query == nil || query.Kind != ast.Object {
		return
	}
	have := m.sources["Query"]
	var all []source[*schema.Type]
	for i := range m.Subgraphs {
		if len(have) > 0 && have[0].index == i {
			all = append(all, have[0])
			have = have[1:]
			continue
		}
		all = append(all, source[*schema.Type]{i, &schema.Type{Name: "Query", Kind: ast.Object}})
	}
	m.sources["Query"] = all
}

func isInterfaceObject(t *schema.Type) bool { return t.Has("interfaceObject") }

func kindName(s source[*schema.Type]) string {
	switch {
	case isInterfaceObject(s.el):
		return "Interface Object Type (Object Type with @interfaceObject)"
	case s.el.Kind == ast.InputObject:
		return "Input Object Type"
	}
	return schema.KindWord(s.el.Kind) + " Type"
}

// kind decides the merged kind: an interface object is an interface.
func (m *merger) kind(t *schema.Type) {
	sources := m.sources[t.Name]
	objects, kinds := 0, map[schema.Kind]bool{}
	for _, s := range sources {
		if isInterfaceObject(s.el) {
			objects++
			kinds[ast.Interface] = true
			t.Kind = ast.Interface
		} else {
			kinds[s.el.Kind] = true
		}
	}
	switch {
	case len(kinds) > 1:
		chosen := kindName(sources[0])
		if objects > 0 {
			chosen = "Interface Type"
		}
		m.errorf(report.TypeKindMismatch, t.Name, nodesOf(m, sources, typeElement), `Type "%s" has mismatched kind: it is defined as %s`,
			t.Name, m.contrast(variants(sources, chosen, kindName), ""))
	case objects == len(sources):
		m.errorf(report.InterfaceObjectUsageError, t.Name, nodesOf(m, sources, typeElement),
			`Type "%s" is declared with @interfaceObject in all the subgraphs in which it is defined (it is defined in %s but should be defined as an interface in at least one subgraph)`,
			t.Name, m.subgraphList(indexesOf(sources)))
	}
	// Root types need no definition: federation gives every subgraph some of their fields.
	defined := false
	for _, s := range sources {
		defined = defined || s.el.Defined || m.Subgraphs[s.index].RootOf(t.Name) != ""
	}
	if !defined {
		m.errorf(report.ExtensionWithNoBase, t.Name, nodesOf(m, sources, typeElement),
			`[%s] Type "%s" is an extension type, but there is no type definition for "%s" in any subgraph.`, m.Subgraphs[sources[0].index].Name, t.Name, t.Name)
	}
}

func indexesOf[T any](sources []source[T]) []int {
	all := make([]int, len(sources))
	for i, s := range sources {
		all[i] = s.index
	}
	return all
}

// mergeTypes merges all types but enums, whose rule depends on where they are used.
func (m *merger) mergeTypes() {
	if len(m.errors) > 0 && m.kindsClash() {
		return
	}
	for _, t := range m.Types {
		if m.Machinery[t.Name] || t.Kind == ast.Enum {
			continue
		}
		sources := m.sources[t.Name]
		m.mergeDescription(&t.Element, t.Name, elements(sources, typeElement))
		m.joinTypes(t, sources)
		switch t.Kind {
		case ast.Object, ast.Interface:
			m.entityHint(t, sources)
			m.mergeFields(t, sources)
		case ast.InputObject:
			m.mergeInput(t, sources)
		}
	}
	for _, t := range m.Types {
		if m.Machinery[t.Name] || t.Kind == ast.Enum {
			continue
		}
		if t.Kind == ast.Union {
			m.joinMembers(t, m.sources[t.Name])
		}
		m.mergeDirectives(&t.Element, t.Name, elements(m.sources[t.Name], typeElement))
	}
}

// checkSharing looks at every field of every object, once interface objects have added theirs.
func (m *merger) checkSharing() {
	if m.kindsClash() {
		return
	}
	for _, t := range m.Types {
		if t.Kind == ast.Object && !m.Machinery[t.Name] {
			m.sharing(t)
		}
	}
}

func (m *merger) kindsClash() bool {
	for _, e := range m.errors {
		if e.Code == report.TypeKindMismatch {
			return true
		}
	}
	return false
}

// joinTypes writes one join__type per key, or one without.
func (m *merger) joinTypes(t *schema.Type, sources []source[*schema.Type]) {
	for _, s := range sources {
		var interfaceObject []schema.DirectiveArgument
		if isInterfaceObject(s.el) {
			interfaceObject = append(interfaceObject, schema.Arg("isInterfaceObject", schema.Boolean(true)))
		}
		keys := s.el.All("key")
		if len(keys) == 0 {
			t.Apply("join__type", append([]schema.DirectiveArgument{m.graph(s.index)}, interfaceObject...)...)
		}
		for _, key := range keys {
			args := []schema.DirectiveArgument{m.graph(s.index), schema.Arg("key", schema.String(key.Text("fields")))}
			if key.Extension > 0 || s.el.Has("extends") {
				args = append(args, schema.Arg("extension", schema.Boolean(true)))
			}
			if v := key.Argument("resolvable"); v != nil {
				args = append(args, schema.Arg("resolvable", v))
			}
			t.Apply("join__type", append(args, interfaceObject...)...)
		}
	}
}

// mergeImplements unites what types implement.
func (m *merger) mergeImplements() {
	for _, t := range m.Types {
		for _, s := range m.sources[t.Name] {
			for _, ref := range s.el.Interfaces {
				t.Apply("join__implements", m.graph(s.index), schema.Arg("interface", schema.String(ref.Name)))
				if !t.Implements(ref.Name) {
					t.Interfaces = append(t.Interfaces, schema.Reference{Name: ref.Name})
				}
			}
		}
	}
}

// elements are the sources' common parts.
func elements[T any](sources []source[T], of func(T) *element) []source[*element] {
	all := make([]source[*element], len(sources))
	for i, s := range sources {
		all[i] = source[*element]{s.index, of(s.el)}
	}
	return all
}
