package check

import (
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// requirement compares what callers must prove to see a field.
func (c *comparison) requirement(typ, field string) {
	old, new := c.old.Requirement(typ, field), c.new.Requirement(typ, field)
	coordinate := typ + "." + field
	before, after := demands(old), demands(new)
	switch {
	case before == after:
	case implies(old, new):
		c.add(RequirementLoosened, coordinate, "%s demanded %s of its callers, and demands %s now.", coordinate, before, after)
	default:
		c.add(RequirementTightened, coordinate, "%s demanded %s of its callers, and demands %s now.", coordinate, before, after)
	}
}

// implies tells whether everybody who meets a meets b.
func implies(a, b *supergraph.Requirement) bool {
	if b == nil {
		return true
	}
	if a == nil {
		return false
	}
	// Scopes and policies are an identity's: who has any is authenticated.
	authenticated := a.Authenticated || a.Scopes != nil
	return (!b.Authenticated || authenticated) && covers(a.Scopes, b.Scopes) && covers(a.Policies, b.Policies)
}

// covers tells whether each alternative of a holds all of one of b's.
func covers(a, b [][]string) bool {
	if b == nil {
		return true
	}
	if a == nil {
		return false
	}
	return !slices.ContainsFunc(a, func(had []string) bool {
		return !slices.ContainsFunc(b, func(needed []string) bool {
			return !slices.ContainsFunc(needed, func(s string) bool { return !slices.Contains(had, s) })
		})
	})
}

// demands writes a requirement for people.
func demands(r *supergraph.Requirement) string {
	if r == nil {
		return "nothing"
	}
	var parts []string
	if r.Authenticated {
		parts = append(parts, "authentication")
	}
	if r.Scopes != nil {
		parts = append(parts, "the scopes "+alternatives(r.Scopes))
	}
	if r.Policies != nil {
		parts = append(parts, "the policies "+alternatives(r.Policies))
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

func alternatives(lists [][]string) string {
	var all []string
	for _, l := range lists {
		all = append(all, strings.Join(slices.Sorted(slices.Values(l)), " and "))
	}
	slices.Sort(all)
	return strings.Join(all, ", or ")
}
