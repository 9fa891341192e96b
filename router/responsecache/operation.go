package responsecache

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// operation is what is known of the text of a request to a subgraph.
type operation struct {
	document *ast.QueryDocument
	// never says that answers are not kept: the text asks for what can't be judged.
	never bool
	// root is the hint for a request of root fields; lists are the _entities fields of another one.
	root  hint
	lists []entityList
	// tags are those of everything within: the types of objects.
	tags []string
	// private is set once an answer was private.
	private atomic.Bool
	// passing is until when those who ask the same don't wait for each other, in Unix nanoseconds, since answers could not
	// be kept.
	passing atomic.Int64
}

// entityList is one _entities field.
type entityList struct {
	// key is its response key, and variable that of its representations.
	key, variable string
	// hints are for entities by the name in their representation.
	hints map[string]*hint
}

// hintOf is the hint for a representation's type; nil if the operation doesn't ask for it.
func (l *entityList) hintOf(typeName string) *hint { return l.hints[typeName] }

// protected reports whether entities of any type, or the root fields, are private.
func (o *operation) protected() bool {
	if o.root.private || o.private.Load() {
		return true
	}
	for i := range o.lists {
		for _, h := range o.lists[i].hints {
			if h.private {
				return true
			}
		}
	}
	return false
}

// compile reads the text of a query to a subgraph.
func (s *schema) compile(name string, cfg *Subgraph, text string) *operation {
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil || len(document.Operations) != 1 || s.Query == nil {
		return &operation{never: true}
	}
	op := &operation{document: document}
	w := walk{schema: s, cfg: cfg, document: document, types: map[string]bool{}}
	var roots int
	for _, each := range document.Operations[0].SelectionSet {
		f, ok := each.(*ast.Field)
		switch {
		case !ok:
			op.never = true
		case f.Name == "_entities":
			op.entities(&w, f)
		case f.Name != "__typename":
			op.rootField(&w, f, roots == 0)
			roots++
		}
	}
	op.never = op.never || w.unknown || (roots > 0) == (len(op.lists) > 0) || op.forbidden()
	if roots > 0 {
		w.types[s.Query.Name] = true
	}
	op.tags = []string{subgraphTag(name)}
	for _, t := range slices.Sorted(maps.Keys(w.types)) {
		op.tags = append(op.tags, withinTag(name, t))
	}
	return op
}

// forbidden reports whether nothing of the answer may be kept.
func (o *operation) forbidden() bool {
	for i := range o.lists {
		for _, h := range o.lists[i].hints {
			if !h.never {
				return false
			}
		}
	}
	return len(o.lists) > 0 || o.root.never
}

// rootField takes a root field's hints. Of several fields, each has to be one that may be kept.
func (o *operation) rootField(w *walk, f *ast.Field, first bool) {
	w.hint = hint{stale: -1}
	w.field(w.schema.Query, f)
	if def := w.schema.Query.Field(f.Name); def != nil {
		w.hint.opted = w.schema.hint(w.cfg, w.schema.Query.Name, f.Name).MaxAge > 0 ||
			def.Base != nil && w.schema.hint(w.cfg, def.Base.Name, "").MaxAge > 0
	}
	if first {
		o.root = w.hint
		return
	}
	opted := o.root.opted && w.hint.opted
	o.root.add(Hint{MaxAge: w.hint.age, Never: w.hint.never, Private: w.hint.private, StaleWhileRevalidate: max(0, w.hint.stale), Tags: w.hint.tags})
	o.root.opted = opted
}

// entities takes the hints of an _entities field by the types of its representations.
func (o *operation) entities(w *walk, f *ast.Field) {
	list := entityList{key: f.Alias, hints: map[string]*hint{}}
	if a := f.Arguments.ForName("representations"); a != nil && a.Value.Kind == ast.Variable {
		list.variable = a.Value.Raw
	}
	o.never = o.never || list.variable == ""
	for _, each := range f.SelectionSet {
		var condition string
		var set ast.SelectionSet
		switch each := each.(type) {
		case *ast.InlineFragment:
			condition, set = each.TypeCondition, each.SelectionSet
		case *ast.FragmentSpread:
			if d := w.document.Fragments.ForName(each.Name); d != nil {
				condition, set = d.TypeCondition, d.SelectionSet
			}
		case *ast.Field:
			o.never = o.never || each.Name != "__typename"
			continue
		}
		t := w.schema.Type(condition)
		if t == nil {
			o.never = true
			return
		}
		w.hint = hint{stale: -1}
		if had := list.hints[condition]; had != nil {
			w.hint = *had
		}
		own := w.schema.hint(w.cfg, condition, "")
		w.hint.add(own)
		w.hint.opted = own.MaxAge > 0
		w.selection(t, set)
		h := w.hint
		list.hints[condition] = &h
	}
	o.lists = append(o.lists, list)
}

// walk gathers hints and types of a selection.
type walk struct {
	schema   *schema
	cfg      *Subgraph
	document *ast.QueryDocument
	hint     hint
	types    map[string]bool
	// unknown says that something is not in the schema: nobody knows who may see it.
	unknown bool
}

func (w *walk) selection(parent *supergraph.Type, set ast.SelectionSet) {
	for _, each := range set {
		switch each := each.(type) {
		case *ast.Field:
			w.field(parent, each)
		case *ast.InlineFragment:
			w.fragment(parent, each.TypeCondition, each.SelectionSet)
		case *ast.FragmentSpread:
			if d := w.document.Fragments.ForName(each.Name); d != nil {
				w.fragment(parent, d.TypeCondition, d.SelectionSet)
			}
		}
	}
}

func (w *walk) fragment(parent *supergraph.Type, condition string, set ast.SelectionSet) {
	if condition != "" {
		if parent = w.schema.Type(condition); parent == nil {
			w.unknown = true
			return
		}
		w.types[condition] = true
		w.hint.add(w.schema.hint(w.cfg, condition, ""))
	}
	w.selection(parent, set)
}

func (w *walk) field(parent *supergraph.Type, f *ast.Field) {
	if f.Name == "__typename" {
		return
	}
	def := parent.Field(f.Name)
	if def == nil {
		w.unknown = true
		return
	}
	w.hint.add(w.schema.hint(w.cfg, parent.Name, f.Name))
	w.hint.private = w.hint.private || w.schema.guarded(parent, f.Name)
	if def.Base == nil {
		return
	}
	w.types[def.Base.Name] = true
	w.hint.add(w.schema.hint(w.cfg, def.Base.Name, ""))
	w.selection(def.Base, f.SelectionSet)
}

// guarded reports whether a caller has to prove anything to see a field.
func (s *schema) guarded(t *supergraph.Type, field string) bool {
	if s.Requirement(t.Name, field) != nil {
		return true
	}
	if t.Abstract() {
		for object := range t.Possible.All() {
			if s.Requirement(s.Objects[object], field) != nil {
				return true
			}
		}
	}
	return false
}

// hint is that of the configuration for a type, or a field of it; else that of @cacheControl.
func (s *schema) hint(cfg *Subgraph, typeName, field string) Hint {
	at := typeName
	if field != "" {
		at += "." + field
	}
	if h, ok := cfg.Hints[at]; ok {
		return h
	}
	def := s.API.Types[typeName]
	if def == nil {
		return Hint{}
	}
	directives := def.Directives
	if field != "" {
		f := def.Fields.ForName(field)
		if f == nil {
			return Hint{}
		}
		directives = f.Directives
	}
	d := directives.ForName("cacheControl")
	if d == nil {
		return Hint{}
	}
	var h Hint
	if scope := d.Arguments.ForName("scope"); scope != nil {
		h.Private = scope.Value.Raw == "PRIVATE"
	}
	if age := d.Arguments.ForName("maxAge"); age != nil {
		h.MaxAge = min(seconds(age.Value.Raw), maxAge)
		h.Never = h.MaxAge <= 0
	}
	return h
}

// passes reports whether those who ask the same need not wait for each other.
func (o *operation) passes() bool {
	until := o.passing.Load()
	return until != 0 && time.Now().UnixNano() < until
}

// pass lets those who ask the same go on without waiting for each other, for a second.
func (o *operation) pass() { o.passing.Store(time.Now().Add(time.Second).UnixNano()) }
