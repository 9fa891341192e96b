package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// Usage says what federation directives make of each field of a subgraph.
type Usage struct {
	// External are the fields that the subgraph does not resolve. Key fields that an extension marks @external are not
	// among them: federation 1 wanted the mark there, and the subgraph does know their values.
	External map[*schema.Field]bool
	// Provided are the external fields that some @provides makes available on its path.
	Provided map[*schema.Field]bool
	// Key are the fields that are part of a key, at any depth.
	Key map[*schema.Field]bool
	// Used are the fields that a field set selects, or that an interface asks for.
	Used map[*schema.Field]bool
	// fake are key fields of extensions that are marked @external.
	fake map[*schema.Field]bool
}

// Analyse computes Usage anew.
func (s *Subgraph) Analyse() {
	u := &Usage{
		External: map[*schema.Field]bool{}, Provided: map[*schema.Field]bool{}, Key: map[*schema.Field]bool{},
		Used: map[*schema.Field]bool{}, fake: map[*schema.Field]bool{},
	}
	s.Usage = u
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, key := range t.All("key") {
			extends := key.Extension > 0 || t.Has("extends")
			s.EachSelected(t, key.Text("fields"), func(f *schema.Field, _ *schema.Selection) {
				u.Key[f], u.Used[f] = true, true
				if extends {
					u.fake[f] = true
				}
			})
		}
	}
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			s.analyseField(t, f)
		}
	}
	s.interfaceUsage()
}

func (s *Subgraph) analyseField(t *schema.Type, f *schema.Field) {
	u := s.Usage
	if MarkedExternal(f) && !u.fake[f] {
		u.External[f] = true
	}
	if d := f.One("requires"); d != nil {
		s.EachSelected(t, d.Text("fields"), func(f *schema.Field, _ *schema.Selection) { u.Used[f] = true })
	}
	if d := f.One("provides"); d != nil {
		if of := s.Type(f.Type.Name()); of != nil {
			s.EachSelected(of, d.Text("fields"), func(f *schema.Field, _ *schema.Selection) { u.Used[f], u.Provided[f] = true, true })
		}
	}
	for _, a := range f.Arguments {
		if d := a.One("fromContext"); d != nil {
			s.contextUsage(d.Text("field"))
		}
	}
}

// MarkedExternal tells whether the field, or the declaration that it stands in, has @external.
func MarkedExternal(f *schema.Field) bool {
	if f.Has("external") {
		return true
	}
	if f.Parent.Kind != ast.Object {
		return false
	}
	return onDeclaration(f, "external")
}

// onDeclaration tells whether the definition or extension of the type in which f is declared has the directive.
func onDeclaration(f *schema.Field, spec string) bool {
	for _, d := range f.Parent.Applied {
		if d.Spec == spec && d.Extension == f.Extension {
			return true
		}
	}
	return false
}

// Shareable tells whether the field may be resolved by other subgraphs, too.
func (s *Subgraph) Shareable(f *schema.Field) bool {
	if s.Usage.Key[f] {
		return true
	}
	return f.Has("shareable") || onDeclaration(f, "shareable")
}

// IsExternal tells whether the subgraph does not resolve the field by itself.
func (s *Subgraph) IsExternal(f *schema.Field) bool { return s.Usage.External[f] }

// FullyExternal tells whether the subgraph never resolves the field, not even on some path by @provides.
func (s *Subgraph) FullyExternal(f *schema.Field) bool {
	return s.Usage.External[f] && !s.Usage.Provided[f]
}

// interfaceUsage marks fields that satisfy an interface of the subgraph.
func (s *Subgraph) interfaceUsage() {
	for _, t := range s.Types {
		for _, ref := range t.Interfaces {
			i := s.Type(ref.Name)
			if i == nil {
				continue
			}
			for _, f := range i.Fields {
				if own := t.Field(f.Name); own != nil {
					s.Usage.Used[own] = true
				}
			}
		}
	}
}

// EachSelected calls f for every field that a field set on t selects, at any depth. A field of an interface stands for the
// fields of its implementations, too. What does not parse or does not exist is passed over: the rules report it.
func (s *Subgraph) EachSelected(t *schema.Type, text string, f func(*schema.Field, *schema.Selection)) {
	set, err := schema.ParseFieldSet(text)
	if err == nil {
		s.walk(t, set, f)
	}
}

func (s *Subgraph) walk(t *schema.Type, set schema.FieldSet, f func(*schema.Field, *schema.Selection)) {
	for _, sel := range set {
		if sel.Fragment {
			on := t
			if sel.On != "" {
				on = s.Type(sel.On)
			}
			if on != nil {
				s.walk(on, sel.Sub, f)
			}
			continue
		}
		field := t.Field(sel.Field)
		if field == nil {
			continue
		}
		f(field, sel)
		if t.Kind == ast.Interface {
			for _, o := range s.PossibleTypes(t) {
				if own := o.Field(sel.Field); own != nil {
					f(own, sel)
				}
			}
		}
		if of := s.Type(field.Type.Name()); of != nil {
			s.walk(of, sel.Sub, f)
		}
	}
}

// Interfaces before 2.3 could not have keys.
var keysOnInterfaces = federation.Version{Major: 2, Minor: 3}
