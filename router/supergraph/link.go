package supergraph

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// link is one specification that the supergraph's schema links.
type link struct {
	spec, version, url string
	// alias is the prefix of the specification's elements in the SDL.
	alias string
	// purpose is SECURITY, EXECUTION or empty.
	purpose string
	// imports maps names in the SDL to names in the specification, both with @ for directives.
	imports map[string]string
}

// understood are the specifications whose elements this router acts on, or may ignore although they are
// marked as needed for execution or security: composition has done what there is to do for them.
var understood = []string{
	"link", "core", "join", "tag", "inaccessible", "authenticated", "requiresScopes", "policy", "context", "cost",
	"cacheTag", "federation",
}

var specURL = regexp.MustCompile(`/([A-Za-z_][A-Za-z0-9_-]*)/v([0-9]+\.[0-9]+)/?$`)

// readLinks reads the schema's @link directives, or @core of federation 1.
func (l *loader) readLinks() error {
	schemas := append(slices.Clone(l.doc.Schema), l.doc.SchemaExtension...)
	for _, s := range schemas {
		for _, d := range s.Directives {
			url := stringArgument(d, "url")
			if url == "" {
				url = stringArgument(d, "feature")
			}
			if url == "" || (d.Arguments.ForName("url") == nil && d.Name != "core") {
				continue
			}
			if err := l.readLink(d, url); err != nil {
				return err
			}
		}
	}
	if !slices.ContainsFunc(l.links, func(k *link) bool { return k.spec == "join" }) {
		return fmt.Errorf("the schema does not link the join spec (https://specs.apollo.dev/join): this is no supergraph SDL")
	}
	return nil
}

func (l *loader) readLink(d *ast.Directive, url string) error {
	m := specURL.FindStringSubmatch(url)
	purpose := stringArgument(d, "for")
	if m == nil {
		if purpose != "" {
			return fmt.Errorf("@link to %s for %s: the router does not know this specification", url, purpose)
		}
		return nil
	}
	k := &link{spec: m[1], version: m[2], url: url, alias: m[1], purpose: purpose, imports: map[string]string{}}
	if as := stringArgument(d, "as"); as != "" {
		k.alias = as
	}
	if arg := d.Arguments.ForName("import"); arg != nil {
		for _, item := range listItems(arg.Value) {
			name, as := item.Raw, item.Raw
			if item.Kind == ast.ObjectValue {
				name = rawChild(item, "name")
				if as = rawChild(item, "as"); as == "" {
					as = name
				}
			}
			k.imports[as] = name
		}
	}
	apollo := strings.HasPrefix(url, "https://specs.apollo.dev/")
	if purpose != "" && (!apollo || !slices.Contains(understood, k.spec)) {
		return fmt.Errorf("@link to %s for %s: the router does not know this specification", url, purpose)
	}
	if k.spec == "join" && !slices.Contains([]string{"0.1", "0.2", "0.3", "0.4", "0.5"}, k.version) {
		return fmt.Errorf("@link to %s: the router knows join v0.1 to v0.5", url)
	}
	l.links = append(l.links, k)
	return nil
}

// specName returns the specification's own name of a directive in the SDL: "authenticated" also where it is
// imported under another name, "join__field" also where join has another alias. It is empty for directives
// that belong to no linked specification.
func (l *loader) specName(directive string) string {
	name, ok := l.specNames[directive]
	if !ok {
		name = l.findSpecName(directive)
		l.specNames[directive] = name
	}
	return name
}

func (l *loader) findSpecName(directive string) string {
	for _, k := range l.links {
		if original, ok := k.imports["@"+directive]; ok {
			return strings.TrimPrefix(original, "@")
		}
		if directive == k.alias {
			return k.spec
		}
		if rest, ok := strings.CutPrefix(directive, k.alias+"__"); ok {
			if k.spec == "join" {
				return "join__" + rest
			}
			return rest
		}
	}
	return ""
}

// specType reports whether a type belongs to a linked specification, not to the API.
func (l *loader) specType(name string) bool {
	for _, k := range l.links {
		if _, ok := k.imports[name]; ok || strings.HasPrefix(name, k.alias+"__") {
			return true
		}
	}
	return strings.HasPrefix(name, "join__") || strings.HasPrefix(name, "link__") || strings.HasPrefix(name, "core__")
}

func stringArgument(d *ast.Directive, name string) string {
	if a := d.Arguments.ForName(name); a != nil && a.Value.Kind != ast.NullValue {
		return a.Value.Raw
	}
	return ""
}

func boolArgument(d *ast.Directive, name string, missing bool) bool {
	if a := d.Arguments.ForName(name); a != nil {
		return a.Value.Raw == "true"
	}
	return missing
}

func rawChild(v *ast.Value, name string) string {
	if c := v.Children.ForName(name); c != nil {
		return c.Raw
	}
	return ""
}
