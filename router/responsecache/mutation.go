package responsecache

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// mutate sends a mutation, and ends what was kept of that which it changes: each entity in its answer that shows a key,
// all entities of the types in its fields' payloads of which the answer shows none, and what Config.Mutations and the
// answer's extensions.cacheInvalidations say. Also one that fails may have changed something.
func (t *cached) mutate(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	resp, err := t.Transport.Send(ctx, req)
	c := changes{schema: t.schema, types: map[string]bool{}, shown: map[string]bool{}}
	var body []byte
	if err == nil && json.Valid(resp.Body) {
		body = resp.Body
	}
	c.read(req.Query, body, t.cache.cfg.Mutations)
	if c.any() {
		// Where others can't be told now, they are told as soon as they can be: the mutation has happened all the same.
		_ = t.cache.invalidate(ctx, t.schema, c.targets)
		t.cache.writes(ctx, sessionOf(ctx))
	}
	return resp, err
}

// changes are what a mutation changes.
type changes struct {
	schema   *schema
	document *ast.QueryDocument
	// types are those that it may change, and shown those of which the answer shows what has changed.
	types, shown map[string]bool
	targets      []Target
	// nothing counts the fields that change nothing.
	fields, nothing int
}

func (c *changes) any() bool { return c.nothing < c.fields || len(c.targets) > 0 }

// read finds everything that a mutation changes by its text, and by its answer if there is one.
func (c *changes) read(text string, body []byte, configured map[string]Changes) {
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil || len(document.Operations) != 1 || c.schema.Mutation == nil {
		c.fields++ // it may change anything, but nobody knows what
		return
	}
	c.document = document
	data := member(body, "data")
	for _, each := range document.Operations[0].SelectionSet {
		f, ok := each.(*ast.Field)
		if !ok || f.Name == "__typename" {
			continue
		}
		c.fields++
		says := configured[f.Name]
		if says.Nothing {
			c.nothing++
			continue
		}
		for _, t := range says.Types {
			c.types[t] = true
		}
		if def := c.schema.Mutation.Field(f.Name); def != nil && def.Base != nil {
			c.reach(def.Base, map[string]bool{})
			c.walk(def.Base, f.SelectionSet, member(data, f.Alias))
		}
		for _, t := range says.Types {
			delete(c.shown, t)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(c.types)) {
		if !c.shown[t] {
			c.targets = append(c.targets, Target{Kind: KindType, Type: t})
		}
	}
	var said []Target
	if json.Unmarshal(member(member(body, "extensions"), "cacheInvalidations"), &said) == nil {
		c.targets = append(c.targets, said...)
	}
}

// reach gathers the entities that a payload leads to, and nothing beyond them.
func (c *changes) reach(t *supergraph.Type, seen map[string]bool) {
	if seen[t.Name] {
		return
	}
	seen[t.Name] = true
	if len(c.schema.keys[t.Name]) > 0 {
		c.types[t.Name] = true
		return
	}
	if t.Abstract() {
		for object := range t.Possible.All() {
			c.reach(c.schema.ObjectType(object), seen)
		}
		return
	}
	for _, f := range t.Fields {
		if f.Base != nil {
			c.reach(f.Base, seen)
		}
	}
}

// walk gathers the entities that an answer shows.
func (c *changes) walk(t *supergraph.Type, set ast.SelectionSet, value []byte) {
	if list, ok := elements(value); ok {
		for _, each := range list {
			c.walk(t, set, each)
		}
		return
	}
	if len(value) == 0 || value[0] != '{' {
		return
	}
	key := map[string]json.RawMessage{}
	c.object(t, set, value, key)
	if name := member(value, "__typename"); t.Abstract() && len(name) > 2 {
		if own := c.schema.Type(string(name[1 : len(name)-1])); own != nil {
			t = own
		}
	}
	if len(key) > 0 {
		c.shown[t.Name] = true
		c.targets = append(c.targets, Target{Kind: KindEntity, Type: t.Name, Key: key})
	}
}

// object goes through the fields of an object, and gathers those of its keys.
func (c *changes) object(t *supergraph.Type, set ast.SelectionSet, value []byte, key map[string]json.RawMessage) {
	for _, each := range set {
		switch each := each.(type) {
		case *ast.InlineFragment:
			c.fragment(t, each.TypeCondition, each.SelectionSet, value, key)
		case *ast.FragmentSpread:
			if d := c.document.Fragments.ForName(each.Name); d != nil {
				c.fragment(t, d.TypeCondition, d.SelectionSet, value, key)
			}
		case *ast.Field:
			def, got := t.Field(each.Name), member(value, each.Alias)
			switch {
			case def == nil || got == nil:
			case def.Base != nil:
				c.walk(def.Base, each.SelectionSet, got)
			case slices.Contains(c.schema.keys[t.Name], each.Name) && string(got) != "null":
				key[each.Name] = got
			}
		}
	}
}

func (c *changes) fragment(t *supergraph.Type, condition string, set ast.SelectionSet, value []byte, key map[string]json.RawMessage) {
	if condition != "" {
		if t = c.schema.Type(condition); t == nil {
			return
		}
	}
	c.object(t, set, value, key)
}
