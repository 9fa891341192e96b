package supergraph

import (
	"fmt"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// Load reads a supergraph's SDL: join spec v0.1 to v0.5, written by any composition. It refuses what it can't
// serve correctly, with the coordinate concerned.
func Load(sdl string) (*Supergraph, error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: "supergraph", Input: sdl})
	if err != nil {
		return nil, fmt.Errorf("supergraph SDL: %w", err)
	}
	l := &loader{
		doc:       doc,
		sg:        &Supergraph{objects: map[string]ObjectID{}, types: map[string]*Type{}},
		defs:      map[string]*ast.Definition{},
		graphs:    map[string]int{},
		specNames: map[string]string{},
	}
	passes := []func() error{
		l.readLinks, l.readDefinitions, l.readGraphs, l.addIntrospection, l.loadTypes, l.loadPresences, l.loadPossible,
		l.loadFields, l.loadKeys, l.loadSources, l.loadInterfaceObjects, l.loadOverrides, l.loadRoots,
		l.check, l.loadAPI, l.loadVisible,
	}
	for _, pass := range passes {
		if err := pass(); err != nil {
			return nil, fmt.Errorf("supergraph: %w", err)
		}
	}
	l.loadRequirements()
	return l.sg, nil
}

// loader carries one Load through its passes.
type loader struct {
	doc       *ast.SchemaDocument
	sg        *Supergraph
	links     []*link
	specNames map[string]string
	// defs are the definitions that belong to the graph, not to specifications.
	defs map[string]*ast.Definition
	// graphs maps the values of join__Graph to subgraph numbers.
	graphs map[string]int
	// owners is the owner of each entity in join v0.1, by type.
	owners map[string]int
}

// readDefinitions merges extensions into their definitions and sorts out what belongs to specifications.
func (l *loader) readDefinitions() error {
	for _, def := range l.doc.Definitions {
		if l.defs[def.Name] != nil {
			return fmt.Errorf("type %s is defined twice", def.Name)
		}
		l.defs[def.Name] = def
	}
	for _, ext := range l.doc.Extensions {
		def := l.defs[ext.Name]
		if def == nil {
			return fmt.Errorf("type %s is extended but not defined", ext.Name)
		}
		def.Directives = append(def.Directives, ext.Directives...)
		def.Interfaces = append(def.Interfaces, ext.Interfaces...)
		def.Fields = append(def.Fields, ext.Fields...)
		def.Types = append(def.Types, ext.Types...)
		def.EnumValues = append(def.EnumValues, ext.EnumValues...)
	}
	l.doc.Extensions = nil
	return nil
}

// readGraphs reads the enum join__Graph, which lists the subgraphs.
func (l *loader) readGraphs() error {
	for _, def := range l.doc.Definitions {
		if def.Kind != ast.Enum || l.specName(def.Name) != "join__Graph" && def.Name != "join__Graph" {
			continue
		}
		names := map[string]string{}
		for _, v := range def.EnumValues {
			sub := Subgraph{Name: v.Name}
			for _, d := range v.Directives {
				if l.specName(d.Name) == "join__graph" {
					sub = Subgraph{Name: stringArgument(d, "name"), URL: stringArgument(d, "url")}
				}
			}
			if other, ok := names[sub.Name]; ok {
				return fmt.Errorf("join__Graph.%s and join__Graph.%s are both the subgraph %q", other, v.Name, sub.Name)
			}
			names[sub.Name] = v.Name
			l.graphs[v.Name] = len(l.sg.Subgraphs)
			l.sg.Subgraphs = append(l.sg.Subgraphs, sub)
		}
	}
	if len(l.sg.Subgraphs) == 0 {
		return fmt.Errorf("enum join__Graph lists no subgraph")
	}
	for name := range l.defs {
		if l.specType(name) {
			delete(l.defs, name)
		}
	}
	return nil
}

// addIntrospection adds the types of the introspection schema: no subgraph knows them, but operations select
// on them like on any other.
func (l *loader) addIntrospection() error {
	for _, def := range validator.PreludeDocument().Definitions {
		if strings.HasPrefix(def.Name, "__") {
			l.defs[def.Name] = def
		}
	}
	return nil
}

// graph reads the graph argument of a join directive: the subgraph's number, or -1 if there is none.
func (l *loader) graph(d *ast.Directive) (int, error) {
	name := stringArgument(d, "graph")
	if name == "" {
		return -1, nil
	}
	g, ok := l.graphs[name]
	if !ok {
		return -1, fmt.Errorf("@%s names the subgraph %s, which join__Graph does not list", d.Name, name)
	}
	return g, nil
}

// loadTypes numbers the composite types, and the object types among them, in name order.
func (l *loader) loadTypes() error {
	for _, def := range l.defs {
		if def.IsCompositeType() {
			l.sg.Types = append(l.sg.Types, &Type{
				Name: def.Name, Kind: def.Kind, Object: NoObject, fields: map[string]*Field{},
				In: make([]*Presence, len(l.sg.Subgraphs)), Inaccessible: l.inaccessible(def.Directives),
			})
		}
	}
	sort.Slice(l.sg.Types, func(i, j int) bool { return l.sg.Types[i].Name < l.sg.Types[j].Name })
	for i, t := range l.sg.Types {
		t.ID = i
		l.sg.types[t.Name] = t
		if t.Kind == ast.Object {
			t.Object = ObjectID(len(l.sg.Objects))
			l.sg.objects[t.Name] = t.Object
			l.sg.Objects = append(l.sg.Objects, t.Name)
			l.sg.byObject = append(l.sg.byObject, t)
		}
	}
	for _, t := range l.sg.Types {
		for _, name := range l.defs[t.Name].Interfaces {
			i := l.sg.types[name]
			if i == nil || i.Kind != ast.Interface {
				return fmt.Errorf("%s implements %s, which is no interface of the supergraph", t.Name, name)
			}
			t.Interfaces = append(t.Interfaces, i)
		}
	}
	return nil
}

func (l *loader) inaccessible(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if l.specName(d.Name) == "inaccessible" {
			return true
		}
	}
	return false
}

// loadRoots finds the root types, which may have any name.
func (l *loader) loadRoots() error {
	names := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}
	for _, s := range append(l.doc.Schema, l.doc.SchemaExtension...) {
		for _, ot := range s.OperationTypes {
			names[ot.Operation] = ot.Type
		}
	}
	l.sg.Query = l.sg.types[names[ast.Query]]
	l.sg.Mutation = l.sg.types[names[ast.Mutation]]
	l.sg.Subscription = l.sg.types[names[ast.Subscription]]
	if l.sg.Query == nil {
		return fmt.Errorf("there is no query root type %s", names[ast.Query])
	}
	for _, f := range validator.QueryIntrospectionFields() {
		field := &Field{Parent: l.sg.Query, Name: f.Name, Type: f.Type, Base: l.sg.types[f.Type.Name()], In: make([]*Source, len(l.sg.Subgraphs))}
		l.sg.Query.fields[f.Name] = field
	}
	return nil
}
