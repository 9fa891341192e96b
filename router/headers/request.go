package headers

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Source is what the values of inserted headers are taken from.
type Source interface {
	// Value is that of a name such as client.address, and "" if there is none.
	Value(name string) string
}

func (r RequestRule) validate() (errs []error) {
	if !one(r.Propagate, r.PropagateMatching, r.Insert, r.Remove) {
		return []error{fmt.Errorf("expected one of propagate, propagate_matching, insert and remove")}
	}
	for _, name := range []string{r.Propagate, r.Rename, r.Insert, r.Remove} {
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
		if r.Rename != "" || r.Default != "" {
			errs = append(errs, fmt.Errorf("rename and default need a header's name: use propagate"))
		}
	}
	if r.Insert != "" && !one(r.Value, r.From) {
		errs = append(errs, fmt.Errorf("insert: expected value or from"))
	}
	if r.Insert == "" && (r.Value != "" || r.From != "") {
		errs = append(errs, fmt.Errorf("value and from belong to insert"))
	}
	if r.Propagate == "" && (r.Rename != "" && r.PropagateMatching == "" || r.Default != "" && r.PropagateMatching == "") {
		errs = append(errs, fmt.Errorf("rename and default belong to propagate"))
	}
	if r.From != "" && !slices.Contains(sources, r.From) && !strings.HasPrefix(r.From, "claim.") {
		errs = append(errs, fmt.Errorf("from: %q is none of %s and claim.NAME", r.From, strings.Join(sources, ", ")))
	}
	if !httpguts.ValidHeaderFieldValue(r.Value) || !httpguts.ValidHeaderFieldValue(r.Default) {
		errs = append(errs, fmt.Errorf("a header's value can't hold control characters"))
	}
	return errs
}

var sources = []string{"request.id", "client.address", "client.name", "client.version", "identity.bearer", "identity.token"}

// requestRule is a RequestRule ready for use: names are canonical.
type requestRule struct {
	name, to string
	pattern  *regexp.Regexp
	fallback []string
	insert   bool
	value    []string
	from     string
	remove   string
}

func compileRequest(rules []RequestRule) []requestRule {
	list := make([]requestRule, len(rules))
	for i, r := range rules {
		c := requestRule{name: http.CanonicalHeaderKey(r.Propagate), from: r.From, remove: http.CanonicalHeaderKey(r.Remove)}
		c.to = c.name
		if r.Rename != "" {
			c.to = http.CanonicalHeaderKey(r.Rename)
		}
		if r.Default != "" {
			c.fallback = []string{r.Default}
		}
		if r.Insert != "" {
			c.insert, c.to = true, http.CanonicalHeaderKey(r.Insert)
			c.value = []string{r.Value}
		}
		if r.PropagateMatching != "" {
			c.pattern, _ = pattern(r.PropagateMatching) // validated
		}
		list[i] = c
	}
	return list
}

// Request gives the headers of each subgraph, by its index, for a client's headers. They share values with the
// client's, and subgraphs of equal rules share a header: none may be changed. Nil means that there are none.
func (p *Policy) Request(client http.Header, from Source) []http.Header {
	if p.request == nil {
		return nil
	}
	list := make([]http.Header, len(p.same))
	for i, first := range p.same {
		if first < i {
			list[i] = list[first]
		} else {
			list[i] = apply(p.request[i], client, from)
		}
	}
	return list
}

func apply(rules []requestRule, client http.Header, from Source) http.Header {
	header := make(http.Header, len(rules))
	for i := range rules {
		rules[i].apply(header, client, from)
	}
	return header
}

func (r *requestRule) apply(header, client http.Header, from Source) {
	switch {
	case r.remove != "":
		delete(header, r.remove)
	case r.insert && r.from != "":
		if value := from.Value(r.from); value != "" && httpguts.ValidHeaderFieldValue(value) {
			header[r.to] = []string{value}
		}
	case r.insert:
		header[r.to] = r.value
	case r.pattern != nil:
		for name, values := range client {
			if lower := strings.ToLower(name); !reserved(lower) && r.pattern.MatchString(lower) {
				header[name] = values
			}
		}
	default:
		if values := client[r.name]; len(values) > 0 {
			header[r.to] = values
		} else if r.fallback != nil {
			header[r.to] = r.fallback
		}
	}
}
