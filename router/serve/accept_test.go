package serve

import (
	"strings"
	"testing"
)

func TestAcceptPicksTheMediaType(t *testing.T) {
	const (
		urql   = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
		apollo = `multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9`
	)
	tests := []struct {
		name, header string
		single       media
		stream       bool
	}{
		{"nothing", "", mediaJSON, false},
		{"anything", "*/*", mediaJSON, false},
		{"any application", "application/*", mediaJSON, false},
		{"json", "application/json", mediaJSON, false},
		{"graphql-response", "application/graphql-response+json", mediaGraphQL, false},
		{"in capitals", "Application/GraphQL-Response+JSON", mediaGraphQL, false},
		{"first of equals", "application/json, application/graphql-response+json", mediaJSON, false},
		{"first of equals, the other way", "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", mediaGraphQL, false},
		{"quality before order", "application/json;q=0.5, application/graphql-response+json;q=0.6", mediaGraphQL, false},
		{"the name before the wildcard", "application/json;q=0.1, */*", mediaGraphQL, false},
		{"refused by name", "application/json;q=0, */*", mediaGraphQL, false},
		{"all refused", "*/*;q=0", mediaNone, false},
		{"another charset", "application/json;charset=latin1", mediaNone, false},
		{"another charset, then ours", "application/json;charset=latin1, application/json", mediaJSON, false},
		{"nonsense for a quality", "application/json;q=much", mediaNone, false},
		{"a page", "text/html", mediaNone, false},
		{"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", mediaJSON, false},
		{"urql", urql, mediaGraphQL, true},
		{"apollo", apollo, mediaGraphQL, false},
		{"a comma in quotes", `text/x;a=",application/json;q=1", application/graphql-response+json`, mediaGraphQL, false},
		{"event stream", "text/event-stream", mediaEventStream, true},
		{"event stream first", "text/event-stream, application/json", mediaJSON, true},
		{"no event stream", "text/event-stream;q=0, application/json", mediaJSON, false},
		{"only commas", ",,", mediaNone, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var values []string
			if test.header != "" {
				values = []string{test.header}
			}
			want := acceptance{test.single, test.stream}
			if got := accept(values); got != want {
				t.Errorf("accept(%q) = %v, want %v", test.header, got, want)
			}
			if before, after, ok := strings.Cut(test.header, ", "); ok {
				if got := accept([]string{before, after}); got != want {
					t.Errorf("accept(%q, %q) = %v, want %v", before, after, got, want)
				}
			}
		})
	}
}

func TestContentTypeIsJSON(t *testing.T) {
	tests := map[string]bool{
		"application/json":                          true,
		"Application/JSON ; Charset=\"UTF-8\"":      true,
		"application/json;charset=utf-8;profile=x":  true,
		"application/json; charset=utf-16":          false,
		"application/json; charset=*":               false,
		"application/jsonp":                         false,
		"text/plain":                                false,
		"application/graphql":                       false,
		"application/x-www-form-urlencoded":         false,
		"":                                          false,
		"text/plain; application/json":              false,
		"application/graphql-response+json":         false,
		"application/json, text/plain":              false,
		`application/json; a="x;charset=utf-16;y"`:  true,
		`application/json; a="x;"; charset=latin-1`: false,
	}
	for contentType, want := range tests {
		if got := isJSON(contentType); got != want {
			t.Errorf("isJSON(%q) = %v, want %v", contentType, got, want)
		}
	}
}
