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
	mediaPending
	mediaPaths
	mediaParts
	mediaNone
)

func (m media) isStream() bool { return m >= mediaEventStream && m < mediaNone }

// contentTypes are shared by all responses: nobody changes them in place.
var contentTypes = [...][]string{
	mediaJSON:        {"application/json; charset=utf-8"},
	mediaGraphQL:     {"application/graphql-response+json; charset=utf-8"},
	mediaEventStream: {"text/event-stream; charset=utf-8"},
	mediaMultipart:   {`multipart/mixed;boundary="graphql";subscriptionSpec=1.0`},
	mediaPending:     {`multipart/mixed;boundary="graphql";incrementalSpec=v0.2`},
	mediaPaths:       {`multipart/mixed;boundary="graphql";deferSpec=20220824`},
	mediaParts:       {`multipart/mixed;boundary="graphql"`},
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
	// increments is the media type for an answer in parts, where the operation asks for that by @defer: multipart/mixed,
	// or text/event-stream if that is listed and no multipart is; mediaNone if the answer has to come whole.
	increments media
}

// acceptsAnything says whether a header leaves the choice to us.
func acceptsAnything(values []string) bool {
	return len(values) == 0 || len(values) == 1 && (values[0] == "" || values[0] == "*/*")
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
	if acceptsAnything(values) {
		return acceptance{single: mediaJSON, stream: mediaNone, increments: mediaNone}
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
	increments := better(wants[:], mediaPending, mediaPaths, mediaParts)
	if increments == mediaNone {
		increments = better(wants[:], mediaEventStream)
	}
	if single == mediaNone {
		if single = stream; single == mediaNone {
			single = increments
		}
	}
	return acceptance{single, stream, increments}
}

// better is the media type that is wanted most, or mediaNone.
func better(wants []preference, among ...media) media {
	best := mediaNone
	for _, m := range among {
		switch w := wants[m]; {
		case w.quality == 0:
		case best == mediaNone, w.quality > wants[best].quality, w.quality == wants[best].quality && w.order < wants[best].order:
			best = m
		}
	}
	return best
}

// weigh takes one entry of the header. The most specific entry decides for a media type.
func weigh(entry string, order int, wants *[mediaNone]preference) {
	name, params, _ := strings.Cut(entry, ";")
	quality, multipart, ok := acceptParams(params)
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
		take(3, multipart)
	case "application/*":
		take(2, mediaJSON, mediaGraphQL)
	case "*/*":
		take(1, mediaJSON, mediaGraphQL)
	}
}

// acceptParams reads an entry's parameters: its quality, what kind of multipart it is, and whether we can write what it
// asks for.
func acceptParams(params string) (quality float64, multipart media, ok bool) {
	quality, multipart = 1, mediaParts
	for params != "" {
		var param string
		param, params = cutQuoted(params, ';')
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch strings.ToLower(name) {
		case "q":
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0, mediaNone, false
			}
			quality = q
		case "subscriptionspec", "incrementalspec", "deferspec":
			if multipart, ok = multiparts[strings.ToLower(name)+"="+strings.Trim(value, `"`)]; !ok {
				return 0, mediaNone, false
			}
		case "charset":
			if !isUTF8(value) {
				return 0, mediaNone, false
			}
		}
	}
	return quality, multipart, true
}

// multiparts are the kinds of multipart/mixed, by the parameter that tells them apart.
var multiparts = map[string]media{
	"subscriptionspec=1.0": mediaMultipart, "incrementalspec=v0.2": mediaPending, "deferspec=20220824": mediaPaths,
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
