package manifest

import (
	"fmt"
	"slices"
	"time"
)

// Publish adds documents to those that are there, and takes back the retirement of those that are there already. It returns
// how many are new. An id never changes its meaning: clients out there have it.
func Publish(have, published []Document) (all []Document, added int, err error) {
	all = slices.Clone(have)
	for _, d := range published {
		i := slices.IndexFunc(all, func(other Document) bool { return other.ID == d.ID && other.Client == d.Client })
		switch {
		case i < 0:
			all, added = append(all, d), added+1
		case all[i].Text != d.Text:
			return nil, 0, fmt.Errorf("publish %s: the id %q is that of another document: publish under a new id", d.Name, d.ID)
		default:
			all[i].RetireAt = time.Time{}
		}
	}
	return all, added, check(all)
}

// Retire lets documents end at a time, those that end earlier excepted, and returns how many it concerns. Documents that have
// ended by now are dropped.
func Retire(have []Document, now, at time.Time, which func(Document) bool) (all []Document, retired int) {
	for _, d := range have {
		if d.Retired(now) {
			continue
		}
		if which(d) && (d.RetireAt.IsZero() || at.Before(d.RetireAt)) {
			d.RetireAt = at
			retired++
		}
		if !d.Retired(now) {
			all = append(all, d)
		}
	}
	return all, retired
}
