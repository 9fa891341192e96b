package headers

import (
	"strconv"
	"strings"
)

// caching is the strictest of several answers' Cache-Control (RFC 9111, section 5.2.2).
type caching struct {
	// to is the header's name towards the client; empty as long as nothing came.
	to string
	// maxAge is in seconds, of those that may be kept at all.
	maxAge  int
	private bool
	noStore bool
	noCache bool
}

// add takes one answer's values. One without any may not be kept, since nobody said that it may.
func (c *caching) add(to string, values []string) {
	if c.to == "" {
		c.to, c.maxAge = to, -1
	}
	age := -1
	for _, value := range values {
		for directive := range strings.SplitSeq(value, ",") {
			name, argument, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store":
				c.noStore = true
			case "no-cache":
				c.noCache = true
			case "private":
				c.private = true
			case "max-age":
				if n, err := strconv.Atoi(strings.Trim(argument, `"`)); err == nil && n >= 0 {
					age = n
				}
			}
		}
	}
	switch {
	case age < 0 && !c.noCache:
		c.noStore = true
	case age >= 0 && (c.maxAge < 0 || age < c.maxAge):
		c.maxAge = age
	}
}

// values are the merged value. They are shared.
func (c *caching) values(failed bool) []string {
	if c.noStore || failed {
		return noStore
	}
	scope := "public"
	if c.private {
		scope = "private"
	}
	if c.noCache || c.maxAge <= 0 {
		return []string{scope + ", no-cache"}
	}
	return []string{scope + ", max-age=" + strconv.Itoa(c.maxAge)}
}

var noStore = []string{"no-store"}
