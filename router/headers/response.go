package headers

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func (r ResponseRule) validate() (errs []error) {
	if !one(r.Propagate, r.PropagateMatching) {
		return []error{fmt.Errorf("expected one of propagate and propagate_matching")}
	}
	for _, name := range []string{r.Propagate, r.Rename} {
		if name != "" {
			if err := validName(name); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if r.PropagateMatching != "" {
		if _, err := pattern(r.PropagateMatching); err != nil {
			errs = append(errs, err)
		}
		if r.Rename != "" {
			errs = append(errs, fmt.Errorf("rename needs a header's name: use propagate"))
		}
	}
	if merges := []string{"", first, last, appended, mostRestrictive}; !slices.Contains(merges, r.Merge) {
		errs = append(errs, fmt.Errorf("merge: %q is none of %s", r.Merge, strings.Join(merges[1:], ", ")))
	}
	if r.Merge == mostRestrictive && !strings.EqualFold(r.Propagate, cacheControl) {
		errs = append(errs, fmt.Errorf("merge: most_restrictive is for the header Cache-Control"))
	}
	return errs
}

const cacheControl = "Cache-Control"

// responseRule is a ResponseRule ready for use: names are canonical.
type responseRule struct {
	name, to string
	pattern  *regexp.Regexp
	merge    string
}

func compileResponse(rules []ResponseRule) []responseRule {
	list := make([]responseRule, len(rules))
	for i, r := range rules {
		c := responseRule{name: http.CanonicalHeaderKey(r.Propagate), merge: r.Merge}
		c.to = c.name
		if r.Rename != "" {
			c.to = http.CanonicalHeaderKey(r.Rename)
		}
		if r.PropagateMatching != "" {
			c.pattern, _ = pattern(r.PropagateMatching) // validated
		}
		list[i] = c
	}
	return list
}

// usual is how values of a header merge unless a rule says so.
func usual(name string) string {
	switch name {
	case cacheControl:
		return mostRestrictive
	case "Set-Cookie":
		return appended
	}
	return last
}

// Returns says whether any header goes back to clients: without one, nothing needs to be collected.
func (p *Policy) Returns() bool { return p.response != nil }

// Names are the headers of a subgraph's answers that rules ask for: "*" alone if that depends on the names.
func (p *Policy) Names(subgraph int) []string {
	if p.response == nil {
		return nil
	}
	var names []string
	for _, rule := range p.response[subgraph] {
		if rule.pattern != nil {
			return []string{"*"}
		}
		names = append(names, rule.name)
	}
	return names
}

// Response collects what one response's client gets. It belongs to one goroutine. The zero value is that of a client who gets
// nothing.
type Response struct {
	policy *Policy
	header http.Header
	cache  caching
	// failed is set once an answer did not come: what the client gets must not be kept.
	failed bool
}

// Response begins to collect.
func (p *Policy) Response() Response { return Response{policy: p} }

// Add takes the headers of an answer of a subgraph; failed says that it gave none, or one that is no good.
func (r *Response) Add(subgraph int, header http.Header, failed bool) {
	r.failed = r.failed || failed
	for i := range r.policy.response[subgraph] {
		rule := &r.policy.response[subgraph][i]
		if rule.pattern == nil {
			r.take(rule, rule.name, rule.to, header[rule.name])
			continue
		}
		for _, name := range sorted(header) {
			if lower := strings.ToLower(name); !reserved(lower) && rule.pattern.MatchString(lower) {
				r.take(rule, name, name, header[name])
			}
		}
	}
}

func sorted(header http.Header) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *Response) take(rule *responseRule, name, to string, values []string) {
	merge := rule.merge
	if merge == "" {
		merge = usual(name)
	}
	if merge == mostRestrictive {
		r.cache.add(to, values)
		return
	}
	if len(values) == 0 {
		return
	}
	if r.header == nil {
		r.header = http.Header{}
	}
	switch had := r.header[to]; {
	case merge == appended:
		r.header[to] = append(slices.Clip(had), values...)
	case merge == last || len(had) == 0:
		r.header[to] = values
	}
}

// Header is what the client gets; errors says that the response has some. Its values are shared: they must not be changed in
// place.
func (r *Response) Header(errors bool) http.Header {
	if r.cache.to != "" {
		if r.header == nil {
			r.header = make(http.Header, 1)
		}
		r.header[r.cache.to] = r.cache.values(errors || r.failed)
	}
	return r.header
}

// AddTo adds what Header is to a header, but for names that it has already.
func (r *Response) AddTo(header http.Header, errors bool) {
	if r.cache.to != "" && header[r.cache.to] == nil {
		header[r.cache.to] = r.cache.values(errors || r.failed)
	}
	for name, values := range r.header {
		if header[name] == nil {
			header[name] = values
		}
	}
}
