package subgraph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Input is what a subgraph is made of.
type Input struct {
	Name, URL, File, SDL string
	// Newest is the newest version of federation that may be linked to.
	Newest federation.Version
}

// Load reads and validates a subgraph. On errors, all that were found are returned, and no subgraph.
func Load(in Input) (*Subgraph, report.Errors) {
	s := &Subgraph{Name: in.Name, URL: in.URL, File: in.File, SDL: in.SDL, specs: map[string]string{}, newest: in.Newest}
	if in.Name == "_" {
		s.problems = append(s.problems, &report.Error{
			Code:    report.InvalidSubgraphName,
			Message: "[_] Invalid name _ for a subgraph: this name is reserved",
		})
	}
	doc, err := schema.Parse(in.Name, in.File, in.SDL)
	if err != nil {
		pos := &ast.Position{}
		if len(err.Locations) > 0 {
			pos = schema.At(in.SDL, err.Locations[0].Line, err.Locations[0].Column)
		}
		s.errorf(report.InvalidGraphql, "", pos, "Syntax Error: %s", strings.TrimPrefix(err.Message, "Syntax Error: "))
		return nil, s.problems
	}
	s.document, s.Schema = doc, doc.Schema
	for _, step := range []func(*Subgraph){
		readLinks, nameDirectives, separateDefinitions, rootNames, validateGraphQL, validateFederation,
	} {
		before := len(s.problems)
		if step(s); len(s.problems) > before {
			return nil, s.problems
		}
	}
	if len(s.problems) > 0 {
		return nil, s.problems
	}
	s.Analyse()
	return s, nil
}

// Revalidate checks a subgraph by the rules of federation 2 after an upgrade has changed it.
func (s *Subgraph) Revalidate() report.Errors {
	s.problems, s.upgraded = nil, true
	validateFederation(s)
	s.Analyse()
	return s.problems
}

// readLinks finds @link or @core, every linked specification and the version of federation.
func readLinks(s *Subgraph) {
	name, ok := s.linkDirective()
	if !ok {
		return
	}
	for _, d := range s.Root.Applied {
		if d.Name == name {
			s.readLink(d)
		}
	}
	if len(s.problems) > 0 {
		return
	}
	s.checkLinks()
	if fed := s.Link(federation.Identity); fed != nil {
		s.Federation, s.Version = fed, fed.Version
	}
}

// linkDirective is the schema's name for @link: the directive applied to the schema whose definition is that of the link
// (or core) specification, or plain `link`, which needs no definition.
func (s *Subgraph) linkDirective() (string, bool) {
	for _, d := range s.Root.Applied {
		url := d.Text("url") + d.Text("feature")
		identity := url
		if i := strings.LastIndex(url, "/"); i >= 0 {
			identity = url[:i]
		}
		defined := s.Directive(d.Name) != nil
		if identity == federation.LinkSpec || identity == federation.CoreSpec {
			as := d.Text("as")
			if as == "" {
				as = identity[strings.LastIndex(identity, "/")+1:]
			}
			if as == d.Name && (defined || d.Name == "link") {
				return d.Name, true
			}
		}
	}
	for _, d := range s.Root.Applied {
		if d.Name == "link" {
			return "link", true
		}
	}
	return "", false
}

// nameDirectives finds, for each directive that may be applied, its name in the specification.
func nameDirectives(s *Subgraph) {
	for _, d := range federation.Directives() {
		if name, ok := s.DirectiveName(d.Name); ok {
			s.specs[name] = d.Name
		}
	}
	for _, f := range federation.Features {
		if l := s.Link(f.Identity); l != nil {
			for _, d := range f.Directives {
				s.specs[l.DirectiveName(d)] = d
			}
		}
	}
	s.EachApplied(func(d *schema.Directive) { d.Spec = s.specs[d.Name] })
}

// EachApplied calls f with every directive applied in the schema, those on schema first.
func (s *Subgraph) EachApplied(f func(*schema.Directive)) {
	s.EachElement(func(e *schema.Element, _ ast.DirectiveLocation, _ string) {
		for _, d := range e.Applied {
			f(d)
		}
	})
}

// EachElement calls f with every element of the schema, its location as directives see it, and its coordinate.
func (s *Subgraph) EachElement(f func(e *schema.Element, at ast.DirectiveLocation, coordinate string)) {
	f(&s.Root, ast.LocationSchema, "schema")
	for _, t := range s.Types {
		f(&t.Element, ast.DirectiveLocation(t.Kind), t.Name)
		for _, field := range t.Fields {
			at := ast.LocationFieldDefinition
			if t.Kind == ast.InputObject {
				at = ast.LocationInputFieldDefinition
			}
			f(&field.Element, at, field.Coordinate())
			for _, a := range field.Arguments {
				f(&a.Element, ast.LocationArgumentDefinition, a.Coordinate())
			}
		}
		for _, v := range t.Values {
			f(&v.Element, ast.LocationEnumValue, t.Name+"."+v.Name)
		}
	}
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			f(&a.Element, ast.LocationArgumentDefinition, "@"+d.Name+"("+a.Name+":)")
		}
	}
}

// rootNames gives the root types their default names.
func rootNames(s *Subgraph) {
	for _, op := range schema.Operations {
		usual := schema.DefaultRoot(op)
		name, declared := s.Roots[op]
		if !declared {
			if t := s.Type(usual); t != nil && t.Kind == ast.Object && !s.hasSchemaDefinition() {
				s.Roots[op] = usual
			}
			continue
		}
		root := s.Type(name)
		if name == usual || root == nil {
			continue
		}
		if other := s.Type(usual); other != nil {
			code := map[ast.Operation]report.Code{
				ast.Query: report.RootQueryUsed, ast.Mutation: report.RootMutationUsed, ast.Subscription: report.RootSubscriptionUsed,
			}[op]
			s.errorf(code, usual, other.Position, "The schema has a type named %q but it is not set as the %s root type (%q is instead): "+
				"this is not supported by federation. If a root type does not use its default name, there should be no other type with that default name.",
				usual, string(op), name)
			continue
		}
		s.rename(root, usual)
		s.Roots[op] = usual
	}
	if query := s.Type("Query"); query != nil && s.Roots[ast.Query] == "Query" {
		query.RemoveField("_service")
		query.RemoveField("_entities")
		if len(query.Fields) == 0 {
			s.RemoveType("Query")
			delete(s.Roots, ast.Query)
		}
	}
}

// hasSchemaDefinition tells whether the document names its root types.
func (s *Subgraph) hasSchemaDefinition() bool {
	for _, d := range s.document.SchemaDefinitions {
		if len(d.OperationTypes) > 0 {
			return true
		}
	}
	return false
}

// rename gives a type another name wherever it is mentioned.
func (s *Subgraph) rename(t *schema.Type, name string) {
	old := t.Name
	s.RenameType(t, name)
	for _, other := range s.Types {
		for i := range other.Members {
			if other.Members[i].Name == old {
				other.Members[i].Name = name
			}
		}
		for _, f := range other.Fields {
			if f.Type.Name() == old {
				f.Type = schema.Renamed(f.Type, name)
			}
		}
	}
}
