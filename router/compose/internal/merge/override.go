package merge

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var (
	overrideLabel   = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_\-:./]*$`)
	overridePercent = regexp.MustCompile(`^percent\((\d{1,3}(?:\.\d{1,8})?)\)$`)
)

// overrides checks every @override of a field and says what becomes of the fields concerned.
func (m *merger) overrides(f *schema.Field, sources []source[*schema.Field]) *FieldOrigins {
	origins := &FieldOrigins{Overridden: map[int]Override{}, Overriding: map[int]string{}}
	for _, s := range sources {
		if d := s.el.One("override"); d != nil {
			m.override(f, origins, s, d, sources)
		}
	}
	return origins
}

func (m *merger) override(f *schema.Field, origins *FieldOrigins, s source[*schema.Field], d *schema.Directive, sources []source[*schema.Field]) {
	own, from, label := m.Subgraphs[s.index], d.Text("from"), d.Text("label")
	nodes := []report.Node{m.node(s.index, d.Position)}
	coordinate := f.Coordinate()
	switch {
	case s.el.Parent.Kind == ast.Interface:
		m.errorf(report.OverrideOnInterface, coordinate, nodes,
			`@override cannot be used on field "%s" on subgraph "%s": @override is not supported on interface type fields.`, coordinate, own.Name)
		return
	case isInterfaceObject(s.el.Parent):
		m.errorf(report.OverrideCollisionWithAnotherDirective, coordinate, nodes,
			`@override is not yet supported on fields of @interfaceObject types: cannot be used on field "%s" on subgraph "%s".`, coordinate, own.Name)
		return
	case own.IsExternal(s.el):
		m.collision(coordinate, own.Name, own.Name, "external", nodes)
		return
	case from == own.Name:
		m.errorf(report.OverrideFromSelfError, coordinate, nodes,
			`Source and destination subgraphs "%s" are the same for overridden field "%s"`, from, coordinate)
		return
	}
	if d.Argument("label") != nil && !validLabel(label) {
		m.errorf(report.OverrideLabelInvalid, coordinate, nodes,
			`Invalid @override label "%s" on field "%s" on subgraph "%s": labels must start with a letter and after that may contain alphanumerics, underscores, minuses, colons, periods, or slashes. `+
				`Alternatively, labels may be of the form "percent(x)" where x is a float between 0-100 inclusive.`, label, coordinate, own.Name)
		if index, known := m.byName[from]; known {
			origins.Overridden[index] = Override{}
		}
		return
	}
	index, known := m.byName[from]
	if !known {
		var names []string
		for _, sg := range m.Subgraphs {
			names = append(names, sg.Name)
		}
		m.hint(report.HintFromSubgraphDoesNotExist, coordinate, nodes,
			`Source subgraph "%s" for field "%s" on subgraph "%s" does not exist.%s`, from, coordinate, own.Name, schema.DidYouMean(from, names))
		return
	}
	m.overrideFrom(f, origins, s, index, label, nodes, sources)
}

func validLabel(label string) bool {
	if overrideLabel.MatchString(label) {
		return true
	}
	p := overridePercent.FindStringSubmatch(label)
	if p == nil {
		return false
	}
	x, err := strconv.ParseFloat(p[1], 64)
	return err == nil && x >= 0 && x <= 100
}

func (m *merger) collision(coordinate, on, by, directive string, nodes []report.Node) {
	m.errorf(report.OverrideCollisionWithAnotherDirective, coordinate, nodes,
		`@override cannot be used on field "%s" on subgraph "%s" since "%s" on "%s" is marked with directive "@%s"`, coordinate, on, coordinate, by, directive)
}

// overrideFrom applies an override to its source, the field of the subgraph at index.
func (m *merger) overrideFrom(f *schema.Field, origins *FieldOrigins, s source[*schema.Field], index int, label string, nodes []report.Node, sources []source[*schema.Field]) {
	own, from, coordinate := m.Subgraphs[s.index], m.Subgraphs[index], f.Coordinate()
	var old *schema.Field
	for _, other := range sources {
		if other.index == index {
			old = other.el
		}
	}
	if old == nil {
		m.overrideNothing(f, s, index, nodes)
		return
	}
	sourceNodes := []report.Node{m.node(index, old.Position)}
	switch {
	case old.Has("override"):
		m.errorf(report.OverrideSourceHasOverride, coordinate, append(nodes, m.node(index, old.One("override").Position)),
			`Field "%s" on subgraph "%s" is also marked with directive @override in subgraph "%s". Only one @override directive is allowed per field.`,
			coordinate, own.Name, from.Name)
	case old.Has("requires"):
		m.collision(coordinate, own.Name, from.Name, "requires", nodes)
	case old.Has("provides"):
		m.collision(coordinate, own.Name, from.Name, "provides", nodes)
	case from.IsExternal(old):
		if label != "" {
			origins.Overriding[s.index] = label
		}
		m.hint(report.HintOverrideDirectiveCanBeRemoved, coordinate, nodes,
			`Field "%s" on subgraph "%s" is not resolved anymore by the from subgraph (it is marked "@external" in "%s"). The @override directive can be removed.`,
			coordinate, own.Name, from.Name)
	default:
		o := Override{Used: from.Usage.Used[old], Label: label}
		origins.Overridden[index] = o
		if label != "" {
			origins.Overriding[s.index] = label
		}
		m.overriddenHint(coordinate, o, from.Name, sourceNodes)
	}
}

func (m *merger) overriddenHint(coordinate string, o Override, from string, nodes []report.Node) {
	switch {
	case o.Label != "" && o.Used:
		m.hint(report.HintOverrideMigrationInProgress, coordinate, nodes,
			`Field "%s" on subgraph "%s" is currently being migrated via progressive @override. It is still used in some federation directive(s) (@key, @requires, and/or @provides) and/or to satisfy interface constraint(s). `+
				`Once the migration is complete, consider marking it @external explicitly or removing it along with its references.`, coordinate, from)
	case o.Label != "":
		m.hint(report.HintOverrideMigrationInProgress, coordinate, nodes,
			`Field "%s" is currently being migrated with progressive @override. Once the migration is complete, remove the field from subgraph "%s".`, coordinate, from)
	case o.Used:
		m.hint(report.HintOverriddenFieldCanBeRemoved, coordinate, nodes,
			`Field "%s" on subgraph "%s" is overridden. It is still used in some federation directive(s) (@key, @requires, and/or @provides) and/or to satisfy interface constraint(s), `+
				`but consider marking it @external explicitly or removing it along with its references.`, coordinate, from)
	default:
		m.hint(report.HintOverriddenFieldCanBeRemoved, coordinate, nodes,
			`Field "%s" on subgraph "%s" is overridden. Consider removing it.`, coordinate, from)
	}
}

// overrideNothing handles a source that does not have the field.
func (m *merger) overrideNothing(f *schema.Field, s source[*schema.Field], index int, nodes []report.Node) {
	own, from, coordinate := m.Subgraphs[s.index], m.Subgraphs[index], f.Coordinate()
	for _, ref := range f.Parent.Interfaces {
		if t := from.Type(ref.Name); t != nil && isInterfaceObject(t) && t.Field(f.Name) != nil {
			m.errorf(report.OverrideCollisionWithAnotherDirective, coordinate, nodes,
				`Invalid @override on field "%s" of subgraph "%s": source subgraph "%s" does not have field "%s" but abstract it in type "%s" and overriding abstracted fields is not supported.`,
				coordinate, own.Name, from.Name, coordinate, ref.Name)
			return
		}
	}
	m.hint(report.HintOverrideDirectiveCanBeRemoved, coordinate, nodes,
		`Field "%s" on subgraph "%s" no longer exists in the from subgraph. The @override directive can be removed.`, coordinate, own.Name)
}

// misspelt tells whether an override of the field names no subgraph, which may explain an unwanted sharing.
func (m *merger) misspelt(sources []source[*schema.Field]) (subgraph string, found bool) {
	for _, s := range sources {
		if d := s.el.One("override"); d != nil {
			if _, known := m.byName[strings.TrimSpace(d.Text("from"))]; !known {
				return m.Subgraphs[s.index].Name, true
			}
		}
	}
	return "", false
}
