package subgraph

import (
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var name = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// readLink reads one @link(url:, as:, for:, import:) or @core(feature:, as:, for:).
func (s *Subgraph) readLink(d *schema.Directive) {
	text := d.Text("url")
	if text == "" {
		text = d.Text("feature")
	}
	if text == "" {
		return
	}
	url, err := federation.ParseURL(text)
	if err != nil {
		s.errorf(report.InvalidLinkIdentifier, "schema", d.Position, "%s", err)
		return
	}
	l := &federation.Link{URL: url, Directive: d}
	if as := d.Argument("as"); as != nil && as.Kind != ast.NullValue {
		l.As = as.Raw
		if as.Raw == "" {
			s.badNamespace(l, "is not a valid GraphQL name")
		}
	}
	if purpose := d.Argument("for"); purpose != nil && purpose.Kind != ast.NullValue {
		l.Purpose = purpose.Raw
		if purpose.Raw != "SECURITY" && purpose.Raw != "EXECUTION" {
			s.errorf(report.InvalidGraphql, "schema", d.Position,
				`Invalid value for "@link(for:)" of type "link__Purpose" in application of "@link" to "schema".`)
		}
	}
	s.Links = append(s.Links, l)
	s.readImports(l, d.Argument("import"))
}

func (s *Subgraph) badNamespace(l *federation.Link, why string) {
	s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
		`Cannot link feature "%s" as "%s" since it %s. Please rename to a compliant name via "as".`, l.Identity, l.Namespace(), why)
}

func (s *Subgraph) readImports(l *federation.Link, v *ast.Value) {
	if v == nil || v.Kind == ast.NullValue {
		return
	}
	if v.Kind != ast.ListValue {
		s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
			"Invalid value %s for @link(import:) argument: must be a list.", schema.FormatValue(v))
		return
	}
	for _, c := range v.Children {
		if i, ok := s.readImport(l, c.Value); ok {
			l.Imports = append(l.Imports, i)
		}
	}
}

func (s *Subgraph) readImport(l *federation.Link, v *ast.Value) (federation.Import, bool) {
	usage := func(format string, args ...any) (federation.Import, bool) {
		s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position, format, args...)
		return federation.Import{}, false
	}
	shown := schema.FormatValue(v)
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return federation.Import{Name: v.Raw, As: v.Raw}, true
	case ast.ObjectValue:
	default:
		return usage(`Invalid sub-value %s for @link(import:) argument: values should be either strings or input object values of the form { name: "<importedElement>", as: "<alias>" }.`, shown)
	}
	for _, c := range v.Children {
		if c.Name != "name" && c.Name != "as" {
			return usage(`Unknown field "%s" for sub-value %s of @link(import:) argument.`, c.Name, shown)
		}
		if c.Value.Kind != ast.StringValue && c.Value.Kind != ast.BlockValue {
			return usage(`Invalid value for the "%s" field for sub-value %s of @link(import:) argument: must be a string.`, c.Name, shown)
		}
	}
	original, as := v.Children.ForName("name"), v.Children.ForName("as")
	if original == nil {
		return usage(`Invalid sub-value %s for @link(import:) argument: missing mandatory "name" field.`, shown)
	}
	i := federation.Import{Name: original.Raw, As: original.Raw}
	if as != nil {
		i.As = as.Raw
	}
	switch directive := strings.HasPrefix(i.Name, "@"); {
	case directive && !strings.HasPrefix(i.As, "@"):
		return usage(`Invalid @link import renaming: directive "%s" imported name should start with a '@' character, but got "%s".`, i.Name, i.As)
	case !directive && strings.HasPrefix(i.As, "@"):
		return usage(`Invalid @link import renaming: type "%s" imported name should not start with a '@' character, but got "%s" (or, if @%s is a directive, then it should be referred to with a '@').`, i.Name, i.As, i.Name)
	}
	return i, true
}

// checkLinks holds each link against itself, its specification and the links before it.
func (s *Subgraph) checkLinks() {
	for i, l := range s.Links {
		s.checkNamespace(l)
		for _, other := range s.Links[:i] {
			if other.Identity == l.Identity {
				s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
					`Cannot link feature "%s" since it has already been linked in the schema.`, l.Identity)
			} else if other.Namespace() == l.Namespace() {
				s.aliasTaken(l, other.Identity)
			}
		}
		if l.Namespace() == "link" && l.Identity != federation.LinkSpec && s.Link(federation.LinkSpec) == nil {
			s.aliasTaken(l, federation.LinkSpec)
		}
	}
	if len(s.problems) > 0 {
		return
	}
	s.checkVersions()
	s.checkImports()
}

func (s *Subgraph) aliasTaken(l *federation.Link, by string) {
	s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
		`Cannot link feature %s as "%s" since another feature "%s" already uses that alias. Please rename the feature to avoid conflicts via "as".`,
		l.Identity, l.Namespace(), by)
}

func (s *Subgraph) checkNamespace(l *federation.Link) {
	ns := l.Namespace()
	switch {
	case strings.Contains(ns, "__"):
		s.badNamespace(l, `contains "__"`)
	case strings.HasSuffix(ns, "_"):
		s.badNamespace(l, `ends in "_"`)
	case l.As != "" && !name.MatchString(ns):
		s.badNamespace(l, "is not a valid GraphQL name")
	}
}

func (s *Subgraph) checkVersions() {
	for _, l := range s.Links {
		switch {
		case s.Link(federation.Identity) == nil && (l.Identity == federation.Features[0].Identity || l.Identity == federation.Features[1].Identity):
			s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
				`Please import "@%s" from the feature "%s" instead of using "%s" to avoid potential unexpected behavior in the future.`, l.Name, federation.Identity, l.Identity)
		case l.Identity == federation.Identity && (l.Version.Major != 2 || !s.newest.AtLeast(l.Version)):
			s.errorf(report.UnknownFederationLinkVersion, "schema", l.Directive.Position,
				"Invalid version %s for the federation feature in @link directive on schema", l.Version)
		case l.Identity == federation.LinkSpec && l.Version != federation.Version{Major: 1}:
			s.errorf(report.UnknownLinkVersion, "schema", l.Directive.Position,
				"Schema uses unknown version %s of the link spec", l.Version)
		}
	}
}

// checkImports refuses elements that federation does not have and names that could mean two things.
func (s *Subgraph) checkImports() {
	for _, l := range s.Links {
		for i, imported := range l.Imports {
			s.checkKnown(l, imported)
			if bare := strings.TrimPrefix(imported.As, "@"); bare != imported.As && bare != "link" && builtInDirectives[bare] != nil {
				s.errorf(report.DirectiveDefinitionInvalid, "@"+bare, l.Directive.Position,
					`Invalid definition for directive "@%s": "%s" cannot be imported by the name of a directive that every GraphQL schema has`, bare, imported.Name)
			}
			for _, other := range l.Imports[:i] {
				s.checkImportPair(l, imported, l, other)
			}
			for _, before := range s.Links {
				if before == l {
					break
				}
				for _, other := range before.Imports {
					s.checkImportPair(l, imported, before, other)
				}
			}
			s.checkNamespaced(l, imported)
		}
	}
}

func (s *Subgraph) checkImportPair(l *federation.Link, i federation.Import, from *federation.Link, other federation.Import) {
	if i.As != other.As || (l == from && i.Name == other.Name) {
		return
	}
	s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
		`Cannot import "%s" as "%s" from feature "%s" since it was previously imported for "%s"%s. Please rename the import to avoid conflicts via "as".`,
		i.Name, i.As, l.Identity, other.Name, map[bool]string{false: ` from feature "` + from.Identity + `"`}[l == from])
}

// checkNamespaced refuses an import whose name looks as if it belonged to another linked specification.
func (s *Subgraph) checkNamespaced(l *federation.Link, i federation.Import) {
	bare := strings.TrimPrefix(i.As, "@")
	prefix, _, namespaced := strings.Cut(bare, "__")
	for _, other := range s.linksAndImplied() {
		confused := strings.HasPrefix(i.As, "@") && bare == other.Namespace() || namespaced && prefix == other.Namespace()
		if !confused || (other.Identity == l.Identity && (i.Name == "@"+l.Name || bare == l.Namespace() && i.Name == "@"+l.Name)) {
			continue
		}
		if other.Identity == l.Identity && l.DirectiveName(l.Name) == bare && i.Name == "@"+l.Name {
			continue
		}
		s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
			`Cannot import "%s" as "%s" from feature "%s" since it can be confused with a namespaced name from another linked feature "%s". Please rename the import or feature to avoid conflicts via "as".`,
			i.Name, i.As, l.Identity, other.Identity)
	}
}

func (s *Subgraph) linksAndImplied() []*federation.Link {
	if s.Link(federation.LinkSpec) != nil || s.Link(federation.CoreSpec) != nil {
		return s.Links
	}
	url := federation.URL{Identity: federation.LinkSpec, Name: "link", Version: federation.Version{Major: 1}}
	return append([]*federation.Link{{URL: url}}, s.Links...)
}
