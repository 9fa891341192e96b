package responsecache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The kinds of targets, as Apollo's router has them.
const (
	// KindSubgraph is everything that was kept of a subgraph.
	KindSubgraph = "subgraph"
	// KindType is every entity of a type, and every answer that holds one.
	KindType = "type"
	// KindEntity is the entity of a type with a key, and every answer that holds any of the type.
	KindEntity = "entity"
	// KindTag is what has a tag.
	KindTag = "cache_tag"
)

// Target is something that has changed.
type Target struct {
	// Kind is one of the kinds above.
	Kind string `json:"kind"`
	// Subgraph is the only one that is meant; empty for all, but for KindSubgraph.
	Subgraph string `json:"subgraph,omitempty"`
	// Subgraphs are those that are meant, if they are several.
	Subgraphs []string `json:"subgraphs,omitempty"`
	// Type is the type's name, for KindType and KindEntity.
	Type string `json:"type,omitempty"`
	// Key are fields of a key, for KindEntity.
	Key map[string]json.RawMessage `json:"key,omitempty"`
	// Tag is for KindTag.
	Tag string `json:"cache_tag,omitempty"`
}

// validate says what is wrong with a target.
func (t Target) validate() error {
	switch {
	case t.Kind == KindSubgraph && t.Subgraph == "" && len(t.Subgraphs) == 0:
		return errors.New("subgraph is missing")
	case (t.Kind == KindType || t.Kind == KindEntity) && t.Type == "":
		return errors.New("type is missing")
	case t.Kind == KindEntity && len(t.Key) == 0:
		return errors.New("key is missing")
	case t.Kind == KindTag && t.Tag == "":
		return errors.New("cache_tag is missing")
	case !slices.Contains([]string{KindSubgraph, KindType, KindEntity, KindTag}, t.Kind):
		return fmt.Errorf("kind %q: expected %s, %s, %s or %s", t.Kind, KindSubgraph, KindType, KindEntity, KindTag)
	}
	return nil
}

// Invalidate ends what was kept of the targets, also what is under way. An error says that it holds for this router, but
// that others may not know yet; they will as soon as Redis can be reached.
func (c *Cache) Invalidate(ctx context.Context, targets ...Target) error {
	for i, t := range targets {
		if err := t.validate(); err != nil {
			return fmt.Errorf("invalidate: target %d: %w", i, err)
		}
	}
	s := c.schema.Load()
	if s == nil {
		return nil // no router has been made of it: nothing was kept
	}
	return c.invalidate(ctx, s, targets)
}

// invalidate marks targets; those that are not valid are left out.
func (c *Cache) invalidate(ctx context.Context, s *schema, targets []Target) error {
	var tags []string
	for _, t := range targets {
		if t.validate() != nil {
			continue
		}
		for _, subgraph := range c.names() {
			if (t.Subgraph == "" || t.Subgraph == subgraph) && (len(t.Subgraphs) == 0 || slices.Contains(t.Subgraphs, subgraph)) {
				c.observer.Invalidated(subgraph)
				tags = append(tags, s.tagsOf(subgraph, t)...)
			}
		}
	}
	if len(tags) == 0 {
		return nil
	}
	slices.Sort(tags)
	if err := c.store.mark(ctx, slices.Compact(tags)); err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	return nil
}

// tagsOf are the tags of entries that a target ends.
func (s *schema) tagsOf(subgraph string, t Target) (tags []string) {
	switch t.Kind {
	case KindSubgraph:
		return []string{subgraphTag(subgraph)}
	case KindTag:
		return []string{namedTag(subgraph, t.Tag)}
	}
	for _, name := range s.called(t.Type) {
		tags = append(tags, withinTag(subgraph, name))
		field := s.keyField(name, t)
		if field == "" {
			tags = append(tags, typeTag(subgraph, name))
			continue
		}
		tags = append(tags, keyTag(subgraph, name, field, canonical(t.Key[field])), otherTag(subgraph, name, field))
	}
	return tags
}

// keyField is the field of a target's key by which entities are found; empty if none of them is one. One field of a key is
// enough to end every entity that has the whole of it.
func (s *schema) keyField(typeName string, t Target) string {
	if t.Kind != KindEntity {
		return ""
	}
	fields := s.keys[typeName]
	if slices.Contains(fields, "id") && t.Key["id"] != nil {
		return "id"
	}
	i := slices.IndexFunc(fields, func(f string) bool { return t.Key[f] != nil })
	if i < 0 {
		return ""
	}
	return fields[i]
}
