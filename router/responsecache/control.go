package responsecache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hint is what is known before an answer has come.
type hint struct {
	// opted says that the root field or the entity has an age limit of its own.
	opted bool
	// age is the least limit of everything within; zero if nothing has one.
	age     time.Duration
	never   bool
	private bool
	// stale is how long after its time an answer may be given; less than zero means that nothing was said.
	stale time.Duration
	tags  []string
}

// add makes the hint as strict as one for a part of the answer.
func (h *hint) add(o Hint) {
	h.never = h.never || o.Never
	h.private = h.private || o.Private
	if o.MaxAge > 0 && (h.age == 0 || o.MaxAge < h.age) {
		h.age = o.MaxAge
	}
	if o.StaleWhileRevalidate > 0 && (h.stale < 0 || o.StaleWhileRevalidate < h.stale) {
		h.stale = o.StaleWhileRevalidate
	}
	for _, tag := range o.Tags {
		if !slices.Contains(h.tags, tag) {
			h.tags = append(h.tags, tag)
		}
	}
}

// control is what the headers of an answer say of keeping it (RFC 9111, section 5.2.2; RFC 5861 for
// stale-while-revalidate).
type control struct {
	// said says that there was an age limit.
	said bool
	age  time.Duration
	// stale is less than zero if nothing was said.
	stale   time.Duration
	private bool
	forbid  bool
	tags    []string
}

// controlOf reads an answer's headers; ignored are the request's headers that keys leave out.
func controlOf(header http.Header, ignored []string) control {
	c := control{stale: -1, forbid: len(header["Set-Cookie"]) > 0}
	shared := false
	for _, value := range header["Cache-Control"] {
		for directive := range strings.SplitSeq(value, ",") {
			name, argument, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch name = strings.ToLower(name); name {
			case "no-store", "no-cache":
				c.forbid = true
			case "private":
				c.private = true
			case "s-maxage":
				c.said, shared, c.age = true, true, seconds(argument)
			case "max-age":
				if !shared {
					c.said, c.age = true, seconds(argument)
				}
			case "stale-while-revalidate":
				c.stale = seconds(argument)
			}
		}
	}
	if c.said {
		c.age -= seconds(header.Get("Age"))
		c.forbid = c.forbid || c.age <= 0
	}
	for _, value := range header["Vary"] {
		for name := range strings.SplitSeq(value, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			c.forbid = c.forbid || name == "*"
			c.private = c.private || slices.Contains(ignored, name)
		}
	}
	for _, value := range header["Cache-Tag"] {
		for tag := range strings.SplitSeq(value, ",") {
			c.tags = append(c.tags, strings.TrimSpace(tag))
		}
	}
	return c
}

// seconds reads a number of them; zero if it is none.
func seconds(argument string) time.Duration {
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(argument), `"`), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// limits is for how long an answer may be kept, and given after that; zero if not at all.
func limits(cfg *Subgraph, h *hint, c control) (age, stale time.Duration) {
	if h.never || c.forbid {
		return 0, 0
	}
	switch age = h.age; {
	case c.said && (age == 0 || c.age < age):
		age = c.age
	case c.said || h.opted:
	case age == 0 || cfg.MaxAge < age:
		age = cfg.MaxAge
	}
	if stale = cfg.StaleWhileRevalidate; h.stale >= 0 {
		stale = h.stale
	}
	if c.stale >= 0 {
		stale = c.stale
	}
	age = min(age, maxAge)
	return age, min(stale, maxAge-age)
}

// maxAge bounds how long anything is kept, so that marks need not be kept for ever.
const maxAge = 24 * time.Hour

// cacheControl is the header's value for an answer that may be kept for a time yet.
func cacheControl(left time.Duration, private bool) string {
	scope := "public"
	if private {
		scope = "private"
	}
	return scope + ", max-age=" + strconv.Itoa(int(max(0, left)/time.Second))
}
