package responsecache

import (
	"encoding/json"
	"slices"
	"strings"
)

// Tags name what entries depend on. Each begins with the subgraph that the entry is of.

func subgraphTag(subgraph string) string { return subgraph + "|" }

// withinTag is for answers that hold objects of a type, below the entity that was asked for.
func withinTag(subgraph, typeName string) string { return subgraph + "|in:" + typeName }

// typeTag is for entities of a type.
func typeTag(subgraph, typeName string) string { return subgraph + "|type:" + typeName }

// keyTag is for entities that were asked for by a value of a field.
func keyTag(subgraph, typeName, field, value string) string {
	return subgraph + "|key:" + typeName + "." + field + "=" + value
}

// otherTag is for entities that were asked for without a field of their keys: what is known of a change may not tell
// whether they are meant.
func otherTag(subgraph, typeName, field string) string {
	return subgraph + "|other:" + typeName + "." + field
}

func namedTag(subgraph, tag string) string { return subgraph + "|tag:" + tag }

// canonical is a value of a key as tags hold it: 5 and "5" are the same ID.
func canonical(value []byte) string {
	if len(value) > 1 && value[0] == '"' && !slices.Contains(value, '\\') {
		return string(value[1 : len(value)-1])
	}
	var v any
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return string(value)
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	b, err := json.Marshal(v) // sorts the members
	if err != nil {
		return string(value)
	}
	return string(b)
}

// entityTags are those of an entity, besides those of what is within.
func (s *schema) entityTags(subgraph, typeName string, representation []byte) []string {
	tags := []string{typeTag(subgraph, typeName)}
	for _, field := range s.keys[typeName] {
		if value := member(representation, field); value != nil {
			tags = append(tags, keyTag(subgraph, typeName, field, canonical(value)))
		} else {
			tags = append(tags, otherTag(subgraph, typeName, field))
		}
	}
	return tags
}

// called are the names under which an object of a type may have been asked for: its own, and those of the interfaces and
// unions that it may be met as; of an abstract type those of its objects, too.
func (s *schema) called(typeName string) []string {
	t := s.Type(typeName)
	if t == nil {
		return []string{typeName}
	}
	var names []string
	for _, other := range s.Types {
		if other.Possible.Intersects(t.Possible) {
			names = append(names, other.Name)
		}
	}
	if !slices.Contains(names, typeName) {
		names = append(names, typeName)
	}
	return names
}
