// Package federation knows the specifications that composition reads and writes: how schemas link to them (@link, @core),
// which names their elements then have, and which directives each version of federation defines.
// Specified in https://specs.apollo.dev/link/v1.0 and https://specs.apollo.dev/federation.
package federation

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is the version of a specification. The zero value is federation 1, which schemas do not link to.
type Version struct{ Major, Minor int }

// Newest is the newest version of federation known here.
var Newest = Version{2, 14}

// String writes the version as links do: v2.9.
func (v Version) String() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

// Compare orders versions.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// AtLeast tells whether v is w or later.
func (v Version) AtLeast(w Version) bool { return v.Compare(w) >= 0 }

var versionPattern = regexp.MustCompile(`^v(\d+)\.(\d+)$`)

// ParseVersion reads v2.9.
func ParseVersion(s string) (Version, bool) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, false
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	return Version{major, minor}, err1 == nil && err2 == nil
}

// Identities of the specifications that composition treats specially.
const (
	apollo      = "https://specs.apollo.dev/"
	Identity    = apollo + "federation"
	LinkSpec    = apollo + "link"
	CoreSpec    = apollo + "core"
	JoinSpec    = apollo + "join"
	ConnectSpec = apollo + "connect"
)

// URL is the address of a version of a specification.
type URL struct {
	// Identity is the address without the version; Name is its last part.
	Identity, Name string
	Version        Version
}

// String writes the address.
func (u URL) String() string { return u.Identity + "/" + u.Version.String() }

// ParseURL reads https://host/path/name/v1.2. The error is a message for INVALID_LINK_IDENTIFIER.
func ParseURL(text string) (URL, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || scheme == "" {
		return URL{}, malformed("Missing protocol in feature url '%s'", text)
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	host, path, ok := strings.Cut(strings.TrimRight(rest, "/"), "/")
	if !ok || path == "" || host == "" {
		return URL{}, malformed("Missing path in feature url '%s'", text)
	}
	parts := strings.Split(path, "/")
	if strings.HasSuffix(text, "/") {
		return URL{}, malformed("Missing version component in feature url '%s'", text)
	}
	version, ok := ParseVersion(parts[len(parts)-1])
	if !ok {
		return URL{}, malformed("Expected a version string (of the form v1.2), got %s", parts[len(parts)-1])
	}
	if len(parts) < 2 || parts[len(parts)-2] == "" {
		return URL{}, malformed("Missing feature name component in feature url '%s'", text)
	}
	name := parts[len(parts)-2]
	identity := scheme + "://" + host + "/" + strings.Join(parts[:len(parts)-1], "/")
	return URL{Identity: identity, Name: name, Version: version}, nil
}

// malformedURL is a sentence of the reference, which people search for: it is a message, not part of a chain of errors.
type malformedURL string

// Error implements error.
func (m malformedURL) Error() string { return string(m) }

func malformed(format string, args ...any) error { return malformedURL(fmt.Sprintf(format, args...)) }
