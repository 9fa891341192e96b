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
		stream       media
		increments   media
	}{
		{"nothing", "", mediaJSON, mediaNone, mediaNone},
		{"anything", "*/*", mediaJSON, mediaNone, mediaNone},
		{"any application", "application/*", mediaJSON, mediaNone, mediaNone},
		{"json", "application/json", mediaJSON, mediaNone, mediaNone},
		{"graphql-response", "application/graphql-response+json", mediaGraphQL, mediaNone, mediaNone},
		{"in capitals", "Application/GraphQL-Response+JSON", mediaGraphQL, mediaNone, mediaNone},
		{"first of equals", "application/json, application/graphql-response+json", mediaJSON, mediaNone, mediaNone},
		{"first of equals, the other way", "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", mediaGraphQL, mediaNone, mediaNone},
		{"quality before order", "application/json;q=0.5, application/graphql-response+json;q=0.6", mediaGraphQL, mediaNone, mediaNone},
		{"the name before the wildcard", "application/json;q=0.1, */*", mediaGraphQL, mediaNone, mediaNone},
		{"refused by name", "application/json;q=0, */*", mediaGraphQL, mediaNone, mediaNone},
		{"all refused", "*/*;q=0", mediaNone, mediaNone, mediaNone},
		{"another charset", "application/json;charset=latin1", mediaNone, mediaNone, mediaNone},
		{"another charset, then ours", "application/json;charset=latin1, application/json", mediaJSON, mediaNone, mediaNone},
		{"nonsense for a quality", "application/json;q=much", mediaNone, mediaNone, mediaNone},
		{"a page", "text/html", mediaNone, mediaNone, mediaNone},
		{"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", mediaJSON, mediaNone, mediaNone},
		{"urql", urql, mediaGraphQL, mediaEventStream, mediaParts},
		{"apollo", apollo, mediaGraphQL, mediaMultipart, mediaNone},
		{"multipart of another kind", "multipart/mixed;deferSpec=20220824,application/json", mediaJSON, mediaNone, mediaPaths},
		{"multipart alone", `multipart/mixed;subscriptionSpec="1.0"`, mediaMultipart, mediaMultipart, mediaNone},
		{"both streams", "multipart/mixed;subscriptionSpec=1.0;q=0.5, text/event-stream", mediaEventStream, mediaEventStream, mediaEventStream},
		{"a comma in quotes", `text/x;a=",application/json;q=1", application/graphql-response+json`, mediaGraphQL, mediaNone, mediaNone},
		{"event stream", "text/event-stream", mediaEventStream, mediaEventStream, mediaEventStream},
		{"event stream first", "text/event-stream, application/json", mediaJSON, mediaEventStream, mediaEventStream},
		{"no event stream", "text/event-stream;q=0, application/json", mediaJSON, mediaNone, mediaNone},
		{"apollo with defer", "multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9", mediaGraphQL, mediaNone, mediaPending},
		{"a defer of another time", "multipart/mixed;deferSpec=20300101,application/json", mediaJSON, mediaNone, mediaNone},
		{"parts alone", "multipart/mixed", mediaParts, mediaNone, mediaParts},
		{"only commas", ",,", mediaNone, mediaNone, mediaNone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var values []string
			if test.header != "" {
				values = []string{test.header}
			}
			want := acceptance{test.single, test.stream, test.increments}
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
