// Package headers says which headers go with requests to subgraphs, and which of a subgraph's headers go back to
// clients.
//
// In go rules, in the order of the configuration; New turns them into a Policy that a request asks twice: Request gives
// each subgraph's headers before anything is sent, Response collects what the client gets from the answers. A header
// that describes one hop, or that the router itself sets, such as Content-Length, is never carried over (RFC 9110,
// section 7.6.1).
//
// Headers to subgraphs are a part of the key by which identical requests in flight are shared, so that nobody gets an
// answer that was made for somebody else.
package headers

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Config holds the rules. The zero value passes nothing on, in neither direction.
type Config struct {
	// All are the rules for every subgraph.
	All Rules
	// Subgraphs are further rules by the subgraph's name, which come after those for all.
	Subgraphs map[string]Rules
}

// Rules are those of one subgraph, by direction.
type Rules struct {
	// Request are the rules for headers to the subgraph. Each sees what those before it have done.
	Request []RequestRule
	// Response are the rules for headers from the subgraph to the client.
	Response []ResponseRule
}

// RequestRule does one thing to the headers of a request to a subgraph: propagate, propagate_matching, insert or remove,
// exactly one of them.
type RequestRule struct {
	// Propagate is the name of a client's header to pass on.
	Propagate string
	// PropagateMatching is a regular expression (RE2) for the lower-case names of client's headers to pass on.
	PropagateMatching string
	// Rename is what a propagated header is called towards the subgraph. Empty means as the client calls it.
	Rename string
	// Default is the value of a propagated header that the client has not sent. Empty means that it is left out.
	Default string
	// Insert is the name of a header to set, to Value or to what From gives.
	Insert string
	// Value is the value of an inserted header.
	Value string
	// From is what the value of an inserted header is taken from: request.id, client.address, client.name, client.version,
	// claim.NAME for a claim of the client's token, identity.bearer for "Bearer" and a token that the router signs for who is
	// asking, or identity.token for that alone. Without such a value the header is left out.
	From string
	// Remove is the name of a header that is not to be sent after all.
	Remove string
}

// ResponseRule passes a header of subgraphs' answers to the client.
type ResponseRule struct {
	// Propagate is the header's name.
	Propagate string
	// PropagateMatching is a regular expression (RE2) for lower-case names of headers.
	PropagateMatching string
	// Rename is what the header is called towards the client. Empty means as the subgraph calls it.
	Rename string
	// Merge says what becomes of several answers' values: first, last, append, which gives each value in a header line
	// of its own, as Set-Cookie needs it, or most_restrictive, for Cache-Control: the shortest max-age of all, private if one
	// says so, and no-store if one says so or an answer came without the header or the response has errors. Empty means
	// most_restrictive for Cache-Control, append for Set-Cookie and last for others.
	Merge string `enum:"first,last,append,most_restrictive"`
}

// The values of ResponseRule.Merge.
const (
	first           = "first"
	last            = "last"
	appended        = "append"
	mostRestrictive = "most_restrictive"
)

// Policy is a compiled Config for the subgraphs of one supergraph. It is safe for concurrent use.
type Policy struct {
	// request are the rules by the subgraph's index; nil if there are none at all. Subgraphs with the same rules have the
	// same header, made once: that of the first of them, whose index is in same.
	request [][]requestRule
	same    []int
	// response are the rules by the subgraph's index; nil if there are none at all.
	response [][]responseRule
}

// New compiles the rules for subgraphs by their names, or says all that is wrong with them.
func New(cfg Config, subgraphs []string) (*Policy, error) {
	var errs []error
	for name := range cfg.Subgraphs {
		if !slices.Contains(subgraphs, name) {
			errs = append(errs, fmt.Errorf("headers.subgraphs: there is no subgraph %q", name))
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	p := &Policy{}
	common := -1 // the first subgraph without requests' rules of its own
	for i, name := range subgraphs {
		own := cfg.Subgraphs[name]
		same := i
		switch {
		case len(own.Request) > 0:
		case common < 0:
			common = i
		default:
			same = common
		}
		p.same = append(p.same, same)
		p.request = append(p.request, compileRequest(slices.Concat(cfg.All.Request, own.Request)))
		p.response = append(p.response, compileResponse(slices.Concat(cfg.All.Response, own.Response)))
	}
	if !slices.ContainsFunc(p.request, func(r []requestRule) bool { return len(r) > 0 }) {
		p.request = nil
	}
	if !slices.ContainsFunc(p.response, func(r []responseRule) bool { return len(r) > 0 }) {
		p.response = nil
	}
	return p, errors.Join(errs...)
}

// Identifies says whether a rule inserts a token that the router signs.
func (c Config) Identifies() bool {
	asks := func(r Rules) bool {
		return slices.ContainsFunc(r.Request, func(r RequestRule) bool { return strings.HasPrefix(r.From, "identity.") })
	}
	for _, rules := range c.Subgraphs {
		if asks(rules) {
			return true
		}
	}
	return asks(c.All)
}

// Validate says everything in c that can't work; the messages name the settings as the configuration file does.
func (c Config) Validate() error {
	errs := c.All.validate("headers.all")
	for name, rules := range c.Subgraphs {
		errs = append(errs, rules.validate("headers.subgraphs."+name)...)
	}
	return errors.Join(errs...)
}

func (r Rules) validate(at string) (errs []error) {
	for i, rule := range r.Request {
		for _, wrong := range rule.validate() {
			errs = append(errs, fmt.Errorf("%s.request[%d]: %w", at, i, wrong))
		}
	}
	for i, rule := range r.Response {
		for _, wrong := range rule.validate() {
			errs = append(errs, fmt.Errorf("%s.response[%d]: %w", at, i, wrong))
		}
	}
	return errs
}

// validName says what is wrong with a header's name in a rule: that it is none, or that it is not ours to set.
func validName(name string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("%q is no header name", name)
	case reserved(name):
		return fmt.Errorf("the header %s belongs to one connection or to the router, and can't be carried over", http.CanonicalHeaderKey(name))
	}
	return nil
}

// reserved says whether a header, whatever its case, is of one hop or of the router's own making.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade", "http2-settings", "host", "content-length", "content-type", "content-encoding",
		"accept", "accept-encoding", "accept-ranges", "range", "expect", "sec-websocket-key", "sec-websocket-version",
		"sec-websocket-protocol", "sec-websocket-extensions", "sec-websocket-accept":
		return true
	}
	return false
}

// one counts the members that are set.
func one(members ...string) bool {
	n := 0
	for _, m := range members {
		if m != "" {
			n++
		}
	}
	return n == 1
}

// pattern compiles a regular expression for whole lower-case names.
func pattern(expr string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("^(?:" + expr + ")$")
	if err != nil {
		return nil, fmt.Errorf("propagate_matching: %w", err)
	}
	return re, nil
}
