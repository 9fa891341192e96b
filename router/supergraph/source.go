package supergraph

import (
	"fmt"
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// loadFields creates the fields of all types.
func (l *loader) loadFields() error {
	for _, t := range l.sg.Types {
		for _, f := range l.defs[t.Name].Fields {
			if t.fields[f.Name] != nil {
				return fmt.Errorf("%s.%s is defined twice", t.Name, f.Name)
			}
			base := l.defs[f.Type.Name()]
			if base == nil && !builtinScalar(f.Type.Name()) {
				return fmt.Errorf("%s.%s has the type %s, which is not defined", t.Name, f.Name, f.Type.Name())
			}
			field := &Field{
				Parent: t, Name: f.Name, Type: f.Type, Base: l.sg.types[f.Type.Name()],
				Inaccessible: l.inaccessible(f.Directives), In: make([]*Source, len(l.sg.Subgraphs)),
			}
			t.fields[f.Name] = field
			t.Fields = append(t.Fields, field)
		}
	}
	return nil
}

func builtinScalar(name string) bool {
	return slices.Contains([]string{"Int", "Float", "String", "Boolean", "ID"}, name)
}

// loadKeys reads the keys of join__type.
func (l *loader) loadKeys() error {
	for _, t := range l.sg.Types {
		for _, d := range l.defs[t.Name].Directives {
			text := stringArgument(d, "key")
			if l.specName(d.Name) != "join__type" || text == "" {
				continue
			}
			g, err := l.graph(d)
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			set, err := l.sg.fieldSet(t, text)
			if err != nil {
				return fmt.Errorf("%s: key in subgraph %s: %w", t.Name, l.sg.Subgraphs[g].Name, err)
			}
			t.In[g].Keys = append(t.In[g].Keys, &Key{
				Fields: set, Resolvable: boolArgument(d, "resolvable", true), extension: boolArgument(d, "extension", false),
			})
		}
	}
	return nil
}

// loadSources reads join__field: which subgraphs resolve a field, and under which conditions.
func (l *loader) loadSources() error {
	for _, t := range l.sg.Types {
		for _, f := range t.Fields {
			if err := l.loadField(t, f); err != nil {
				return fmt.Errorf("%s.%s: %w", t.Name, f.Name, err)
			}
		}
	}
	if l.joinVersion() == "0.1" {
		l.impliedSources()
	}
	return nil
}

func (l *loader) loadField(t *Type, f *Field) error {
	said := false
	for _, d := range l.defs[t.Name].Fields.ForName(f.Name).Directives {
		if l.specName(d.Name) != "join__field" {
			continue
		}
		said = true
		g, err := l.graph(d)
		if err != nil {
			return err
		}
		if g < 0 {
			continue // The field comes through an interface object.
		}
		if t.In[g] == nil {
			return fmt.Errorf("@%s names the subgraph %s, which does not know %s", d.Name, l.sg.Subgraphs[g].Name, t.Name)
		}
		if f.In[g], err = l.source(t, f, g, d); err != nil {
			return err
		}
	}
	if said {
		return nil
	}
	owner, owned := l.owners[t.Name]
	for g, p := range t.In {
		if p != nil && (!owned || owner == g) {
			f.In[g] = &Source{Subgraph: g, As: t, Type: f.Type, Base: f.Base}
		}
	}
	return nil
}

func (l *loader) source(t *Type, f *Field, g int, d *ast.Directive) (*Source, error) {
	s := &Source{Subgraph: g, As: t, Type: f.Type, Base: f.Base, Overridden: boolArgument(d, "usedOverridden", false)}
	var err error
	if text := stringArgument(d, "type"); text != "" {
		if s.Type, err = parseType(text); err != nil {
			return nil, err
		}
		if s.Base = l.sg.types[s.Type.Name()]; s.Base == nil && l.defs[s.Type.Name()] == nil && !builtinScalar(s.Type.Name()) {
			return nil, fmt.Errorf("subgraph %s gives it the type %s, which is not defined", l.sg.Subgraphs[g].Name, text)
		}
	}
	s.External = boolArgument(d, "external", false) && !l.fakeExternal(t, f.Name, g)
	if text := stringArgument(d, "requires"); text != "" {
		if s.Requires, err = l.sg.fieldSet(t, text); err != nil {
			return nil, fmt.Errorf("requires in subgraph %s: %w", l.sg.Subgraphs[g].Name, err)
		}
	}
	if text := stringArgument(d, "provides"); text != "" {
		if s.Base == nil {
			return nil, fmt.Errorf("provides in subgraph %s: the field is a leaf", l.sg.Subgraphs[g].Name)
		}
		if s.Provides, err = l.sg.fieldSet(s.Base, text); err != nil {
			return nil, fmt.Errorf("provides in subgraph %s: %w", l.sg.Subgraphs[g].Name, err)
		}
	}
	if arg := d.Arguments.ForName("contextArguments"); arg != nil {
		for _, item := range listItems(arg.Value) {
			c, err := l.contextArgument(item)
			if err != nil {
				return nil, err
			}
			s.Context = append(s.Context, c)
			l.sg.contexts = true
		}
	}
	return s, nil
}

// fakeExternal reports whether an external field is a key of a type extension: federation 1 marks these
// external although the subgraph answers them.
func (l *loader) fakeExternal(t *Type, field string, g int) bool {
	for _, k := range t.In[g].Keys {
		if k.extension && slices.ContainsFunc(k.Fields.Fields, func(f *FieldSelection) bool { return f.Name == field }) {
			return true
		}
	}
	return false
}

// impliedSources adds what join v0.1 does not list: the fields of a key are resolvable where the key is, and
// those of a provides are external there.
func (l *loader) impliedSources() {
	for _, t := range l.sg.Types {
		for g, p := range t.In {
			if p == nil {
				continue
			}
			for _, k := range p.Keys {
				l.imply(g, k.Fields.Fields, false)
			}
		}
		for _, f := range t.Fields {
			for g, s := range f.In {
				if s != nil && s.Provides != nil {
					l.imply(g, s.Provides.Fields, true)
				}
			}
		}
	}
}

func (l *loader) imply(g int, fields []*FieldSelection, external bool) {
	for _, sel := range fields {
		for id := range sel.Types.All() {
			t := l.sg.byObject[id]
			f := t.fields[sel.Name]
			if f == nil {
				continue
			}
			l.present(t, g).Possible = t.Possible
			if f.In[g] == nil {
				f.In[g] = &Source{Subgraph: g, As: t, Type: f.Type, Base: f.Base, External: external}
			}
		}
		l.imply(g, sel.Fields, external)
	}
}

// loadInterfaceObjects gives implementers the fields of interface objects of their interfaces.
func (l *loader) loadInterfaceObjects() error {
	for _, t := range l.sg.byObject {
		for _, i := range l.allInterfaces(t) {
			for _, f := range i.Fields {
				for g, s := range f.In {
					own := t.fields[f.Name]
					if s != nil && i.In[g].InterfaceObject && t.In[g] == nil && own != nil && own.In[g] == nil {
						own.In[g] = s
					}
				}
			}
		}
	}
	return nil
}

// loadOverrides settles overrides: for good where there is no label, by verdict where there is one.
func (l *loader) loadOverrides() error {
	names := map[string]int{}
	for g, s := range l.sg.Subgraphs {
		names[s.Name] = g
	}
	labels := map[string]bool{}
	for _, t := range l.sg.Types {
		for _, f := range t.Fields {
			for _, d := range l.defs[t.Name].Fields.ForName(f.Name).Directives {
				from := stringArgument(d, "override")
				if l.specName(d.Name) != "join__field" || from == "" {
					continue
				}
				g, err := l.graph(d)
				if err != nil {
					return fmt.Errorf("%s.%s: %w", t.Name, f.Name, err)
				}
				var loser *Source
				if other, ok := names[from]; ok && other != g {
					loser = f.In[other]
				}
				label := stringArgument(d, "overrideLabel")
				switch {
				case label != "":
					labels[label] = true
					f.In[g].Label, f.In[g].LabelValue = label, true
					if loser != nil {
						loser.Label, loser.LabelValue, loser.Overridden = label, false, false
					}
				case loser != nil:
					loser.Overridden = true
				}
			}
		}
	}
	for label := range labels {
		l.sg.labels = append(l.sg.labels, label)
	}
	sort.Strings(l.sg.labels)
	return nil
}

func (l *loader) contextArgument(item *ast.Value) (ContextArgument, error) {
	c := ContextArgument{Context: rawChild(item, "context"), Name: rawChild(item, "name"), Type: rawChild(item, "type")}
	selection := rawChild(item, "selection")
	for _, t := range l.sg.Types {
		for _, d := range l.defs[t.Name].Directives {
			if l.specName(d.Name) != "context" || stringArgument(d, "name") != c.Context {
				continue
			}
			set, err := l.sg.contextSelection(t, selection)
			if err != nil {
				return c, fmt.Errorf("context %s: %w", c.Context, err)
			}
			if set != nil {
				c.Selections = append(c.Selections, ContextSelection{Type: t, Fields: set})
			}
		}
	}
	if len(c.Selections) == 0 {
		return c, fmt.Errorf("the context %s is set on no type", c.Context)
	}
	return c, nil
}

// parseType parses a type as SDL writes it.
func parseType(text string) (*ast.Type, error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: "type", Input: "type T{f:" + text + "}"})
	if err != nil || len(doc.Definitions) != 1 || len(doc.Definitions[0].Fields) != 1 {
		return nil, fmt.Errorf("%q is no type", text)
	}
	return doc.Definitions[0].Fields[0].Type, nil
}
