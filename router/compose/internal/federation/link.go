package federation

import (
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// Link is one @link (or @core) of a schema.
type Link struct {
	URL
	// As is the namespace given by `as`, or empty.
	As string
	// Purpose is SECURITY, EXECUTION or empty.
	Purpose string
	Imports []Import
	// Directive is the application itself.
	Directive *schema.Directive
}

// Import makes an element of a specification known by a name of its own. Directives start with @ in both names.
type Import struct{ Name, As string }

// Namespace is the prefix of everything that is not imported.
func (l *Link) Namespace() string {
	if l.As != "" {
		return l.As
	}
	return l.Name
}

// DirectiveName is the name, without @, that the linking schema has for the specification's directive.
func (l *Link) DirectiveName(spec string) string {
	for _, i := range l.Imports {
		if i.Name == "@"+spec {
			return strings.TrimPrefix(i.As, "@")
		}
	}
	if spec == l.Name {
		return l.Namespace()
	}
	return l.Namespace() + "__" + spec
}

// TypeName is the name that the linking schema has for the specification's type.
func (l *Link) TypeName(spec string) string {
	for _, i := range l.Imports {
		if i.Name == spec {
			return i.As
		}
	}
	return l.Namespace() + "__" + spec
}

// SpecDirective is the inverse of DirectiveName: the specification's name for the schema's directive.
func (l *Link) SpecDirective(name string) (string, bool) {
	for _, i := range l.Imports {
		if i.As == "@"+name {
			return strings.TrimPrefix(i.Name, "@"), true
		}
	}
	if name == l.Namespace() {
		return l.Name, true
	}
	spec, ok := strings.CutPrefix(name, l.Namespace()+"__")
	return spec, ok
}
