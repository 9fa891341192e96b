package serve

import "strings"

// DocumentIDs says how requests may name a document instead of sending its text. documentId and Apollo's extension
// persistedQuery always work, then doc_id, which is Relay's habit.
type DocumentIDs struct {
	// Parameter is one more name that the id may have, in the body and in the URL's query. Empty means none.
	Parameter string
	// Path lets the rest of the URL's path below the endpoint be the id, as in /graphql/ID.
	Path bool
}

// relayID is the name that Relay's documentation gives to an id.
const relayID = "doc_id"

// inPath says whether a URL's path holds an id, below that of the endpoint.
func (d *DocumentIDs) inPath(endpoint, path string) bool {
	return d != nil && d.Path && len(path) > len(endpoint)+1 && strings.HasPrefix(path, endpoint) && path[len(endpoint)] == '/'
}

// takeAlternative notes the id in a member of the body that is none of the standard's. One that is no string is none: the
// name may be somebody's for something else.
func (req *Request) takeAlternative(name, value []byte) {
	if req.ids == nil || value[0] != '"' {
		return
	}
	switch {
	case string(name) == relayID:
		req.alternative = unquote(value)
	case req.ids.Parameter != "" && string(name) == req.ids.Parameter && req.alternative == "":
		req.alternative = unquote(value)
	}
}

// PersistedQuery is Apollo's extension: a document's hash, or its id in a manifest.
type PersistedQuery struct {
	// Version is the JSON text of the version: 1, if it is one that anybody knows.
	Version string
	// SHA256Hash is the hash or id.
	SHA256Hash string
}

// PersistedQuery returns the extension persistedQuery; false if it is not there or has no hash. Members that it does not know
// are ignored: clients add their own.
func (req *Request) PersistedQuery() (p PersistedQuery, ok bool) {
	value := req.extension("persistedQuery")
	if value == nil || value[0] != '{' {
		return p, false
	}
	for m := walk(value); m.next(); {
		switch {
		case string(m.name) == "sha256Hash" && m.value[0] == '"':
			p.SHA256Hash = unquote(m.value)
		case string(m.name) == "version" && string(m.value) == "1":
			p.Version = "1" // as a constant it costs nothing
		case string(m.name) == "version":
			p.Version = string(m.value)
		}
	}
	return p, p.SHA256Hash != ""
}

// extension is the JSON text of one of the request's extensions, nil if it is not there.
func (req *Request) extension(name string) []byte {
	if req.Extensions == nil {
		return nil
	}
	for m := walk(req.Extensions); m.next(); {
		if string(m.name) == name {
			return m.value
		}
	}
	return nil
}

func (req *Request) hasExtension(name string) bool { return req.extension(name) != nil }
