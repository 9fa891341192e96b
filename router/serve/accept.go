package serve

import (
	"strconv"
	"strings"
)

// media is a media type that a single response is written in.
type media uint8

const (
	mediaJSON media = iota
	mediaGraphQL
	mediaEventStream
	mediaMultipart
	mediaNone
)

func (m media) isStream() bool { return m == mediaEventStream || m == mediaMultipart }

// contentTypes are shared by all responses: nobody changes them in place.
var contentTypes = [...][]string{
	mediaJSON:        {"application/json; charset=utf-8"},
	mediaGraphQL:     {"application/graphql-response+json; charset=utf-8"},
	mediaEventStream: {"text/event-stream; charset=utf-8"},
	mediaMultipart:   {`multipart/mixed;boundary="graphql";subscriptionSpec=1.0`},
	mediaNone:        {"application/json; charset=utf-8"},
}

// acceptance is what an Accept header allows.
type acceptance struct {
	// single is the media type for a single response: the JSON type of the highest quality, the first listed
	// among equals. It is that of streams only if the header allows no JSON at all: clients such as urql
	// list text/event-stream on every query without wanting a stream.
	single media
	// stream is the media type for a subscription: text/event-stream, or multipart/mixed with a
	// subscriptionSpec, if listed by name; else mediaNone.
	stream media
}

// preference is how much a header wants a media type.
type preference struct {
	quality     float64
	specificity int // 3 by name, 2 by application/*, 1 by */*
	order       int
}

// accept reads the values of the Accept header (RFC 9110, 12.5.1). No header, or */*, means
// application/json, as the audits of GraphQL over HTTP want it.
func accept(values []string) acceptance {
	if len(values) == 0 || len(values) == 1 && (values[0] == "" || values[0] == "*/*") {
		return acceptance{single: mediaJSON, stream: mediaNone}
	}
	var wants [mediaNone]preference
	order := 0
	for _, value := range values {
		for value != "" {
			var entry string
			entry, value = cutList(value)
			order++
			weigh(entry, order, &wants)
		}
	}
	stream := better(wants[:], mediaEventStream, mediaMultipart)
	single := better(wants[:], mediaJSON, mediaGraphQL)
	if single == mediaNone {
		single = stream
	}
	return acceptance{single, stream}
}

// better is the one of two media types that is wanted more, or mediaNone.
func better(wants []preference, a, b media) media {
	x, y := wants[a], wants[b]
	switch {
	case y.quality > x.quality, y.quality > 0 && y.quality == x.quality && y.order < x.order:
		return b
	case x.quality > 0:
		return a
	}
	return mediaNone
}

// weigh takes one entry of the header. The most specific entry decides for a media type.
func weigh(entry string, order int, wants *[mediaNone]preference) {
	name, params, _ := strings.Cut(entry, ";")
	quality, subscriptions, ok := acceptParams(params)
	if !ok {
		return
	}
	take := func(specificity int, types ...media) {
		for _, t := range types {
			if wants[t].specificity < specificity {
				wants[t] = preference{quality, specificity, order}
			}
		}
	}
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "application/json":
		take(3, mediaJSON)
	case "application/graphql-response+json":
		take(3, mediaGraphQL)
	case "text/event-stream":
		take(3, mediaEventStream)
	case "multipart/mixed":
		if subscriptions {
			take(3, mediaMultipart)
		}
	case "application/*":
		take(2, mediaJSON, mediaGraphQL)
	case "*/*":
		take(1, mediaJSON, mediaGraphQL)
	}
}

// acceptParams reads an entry's parameters: its quality, whether it is for subscriptions, and whether we can
// write what it asks for.
func acceptParams(params string) (quality float64, subscriptions, ok bool) {
	quality = 1
	for params != "" {
		var param string
		param, params = cutQuoted(params, ';')
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch strings.ToLower(name) {
		case "q":
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0, false, false
			}
			quality = q
		case "subscriptionspec":
			subscriptions = strings.Trim(value, `"`) == "1.0"
		case "charset":
			if !isUTF8(value) {
				return 0, false, false
			}
		}
	}
	return quality, subscriptions, true
}

func isUTF8(charset string) bool {
	charset = strings.Trim(charset, `"`)
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8") || charset == "*"
}

func cutList(value string) (entry, rest string) { return cutQuoted(value, ',') }

// cutQuoted cuts s at the first separator that does not stand in a quoted string.
func cutQuoted(s string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case separator:
			if !quoted {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

// isJSON says whether a Content-Type is one that a request may have: application/json in UTF-8.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	name, params := cutQuoted(contentType, ';')
	if !strings.EqualFold(strings.TrimSpace(name), "application/json") {
		return false
	}
	for params != "" {
		var param string
		param, params = cutQuoted(params, ';')
		key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(key, "charset") && (!isUTF8(value) || value == "*") {
			return false
		}
	}
	return true
}
