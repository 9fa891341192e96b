package responsecache

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/router/transport"
)

// fetch asks the subgraph for parts, and keeps what may be kept. If these are all parts, or if the answer can't be taken
// apart, it is returned as it came: there is nothing to be put together then.
func (a *ask) fetch(ctx context.Context, parts []int) (whole *transport.Response, err error) {
	req := a.req
	if len(parts) < len(a.parts) {
		req = a.reduced(parts)
	}
	resp, err := a.Transport.Send(ctx, req)
	if err != nil {
		return nil, err
	}
	got, ok := a.read(resp.Body, parts)
	if !ok {
		a.op.pass()
		return resp, nil
	}
	a.judge(ctx, parts, got, resp)
	if len(parts) == len(a.parts) {
		resp.Header = a.header(resp.Header)
		return resp, nil
	}
	a.held = append(a.held, resp)
	if got.errors != nil {
		a.errors = append(a.errors, a.moved(got.errors, parts)...)
	}
	return nil, nil //nolint:nilnil // the answer is in the parts
}

// reduced is the request for some of the entities.
func (a *ask) reduced(parts []int) *transport.Request {
	req := *a.req
	end := len(req.Body) - len(req.Variables) - 1
	b := make([]byte, 0, len(req.Body))
	b = append(append(b, req.Body[:end]...), '{')
	for name, value := range members(req.Variables) {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), '"', ':')
		list := slices.IndexFunc(a.op.lists, func(l entityList) bool { return l.variable == name })
		if list < 0 {
			b = append(b, value...)
			continue
		}
		b = append(b, '[')
		for _, p := range parts {
			if a.parts[p].list != list {
				continue
			}
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = append(b, a.parts[p].representation...)
		}
		b = append(b, ']')
	}
	req.Body = append(b, '}', '}')
	req.Variables = req.Body[end : len(req.Body)-1]
	return &req
}

// answered is what an answer holds.
type answered struct {
	// values are those of the parts that were asked for.
	values [][]byte
	// errors is the list of errors; nil if there are none.
	errors []byte
	// tags are those that the answer gives itself, for each part.
	tags [][]string
}

// read takes an answer apart; ok is false if it isn't one to what was asked.
func (a *ask) read(body []byte, parts []int) (got answered, ok bool) {
	if !json.Valid(body) || !utf8.Valid(body) {
		return got, false
	}
	var data, extensions []byte
	for name, value := range members(body) {
		switch name {
		case "data":
			data = value
		case "errors":
			if list, _ := elements(value); len(list) > 0 {
				got.errors = value
			}
		case "extensions":
			extensions = value
		}
	}
	if len(data) == 0 || data[0] != '{' {
		return got, false
	}
	if len(a.op.lists) == 0 {
		got.values = [][]byte{data}
	}
	asked := make([]int, len(a.op.lists))
	for _, p := range parts {
		if len(a.op.lists) > 0 {
			asked[a.parts[p].list]++
		}
	}
	for i := range a.op.lists {
		list, _ := elements(member(data, a.op.lists[i].key))
		if len(list) != asked[i] {
			return got, false
		}
		got.values = append(got.values, list...)
	}
	got.tags = tagsOf(extensions, len(a.op.lists) > 0, len(got.values))
	return got, true
}

// tagsOf reads tags as Apollo's servers give them: apolloCacheTags for root fields, apolloEntityCacheTags with a list for
// each entity. cacheTags are for all that the answer holds.
func tagsOf(extensions []byte, entities bool, count int) [][]string {
	tags := make([][]string, count)
	var x struct {
		Root     []string   `json:"apolloCacheTags"`
		Entities [][]string `json:"apolloEntityCacheTags"`
		All      []string   `json:"cacheTags"`
	}
	if extensions == nil || json.Unmarshal(extensions, &x) != nil {
		return tags
	}
	for i := range tags {
		tags[i] = append(tags[i], x.All...)
		switch {
		case !entities:
			tags[i] = append(tags[i], x.Root...)
		case len(x.Entities) == count:
			tags[i] = append(tags[i], x.Entities[i]...)
		}
	}
	return tags
}

// judge gives parts their values, and keeps those that may be kept.
func (a *ask) judge(ctx context.Context, parts []int, got answered, resp *transport.Response) {
	c := controlOf(resp.Header, a.ignored)
	good := got.errors == nil && resp.Status == http.StatusOK
	if good && c.private && !a.protected {
		// From now on the identity is in the keys. This answer has one without it.
		a.op.private.Store(true)
		good = false
	}
	now := time.Now()
	var keys []string
	var entries []*entry
	for i, at := range parts {
		p := &a.parts[at]
		p.value = got.values[i]
		age, stale := limits(a.cfg, p.hint, c)
		if !good || age <= 0 {
			continue
		}
		p.kept, p.left, p.private = true, age, a.protected
		e := &entry{
			Born: a.born, Made: now.UnixMilli(), Fresh: now.Add(age).UnixMilli(), Stale: now.Add(age + stale).UnixMilli(),
			Private: a.protected, Tags: a.tags(p, c.tags, got.tags[i]), value: bytes.Clone(p.value),
		}
		if len(a.op.lists) == 0 {
			e.value = append(append([]byte(`{"data":`), p.value...), '}')
			p.value = e.value
		}
		keys, entries = append(keys, p.key), append(entries, e)
	}
	if len(entries) == 0 {
		a.op.pass()
		return
	}
	a.cache.store.put(ctx, keys, entries)
	stored := 0
	for i, e := range entries {
		stored += len(keys[i]) + e.size()
	}
	a.cache.observer.Stored(a.name, stored)
}

// tags are those of a part: what it depends on, and what it was given.
func (a *ask) tags(p *part, given ...[]string) []string {
	tags := slices.Clone(a.op.tags)
	if p.representation != nil {
		tags = append(tags, a.schema.entityTags(a.name, p.typeName, p.representation)...)
	}
	for _, list := range append(given, p.hint.tags) {
		for _, tag := range list {
			if tag = namedTag(a.name, tag); len(tag) < maxTag && len(tags) < maxTags && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// What a subgraph gives of tags is bounded, so that it can't make look-ups slow.
const (
	maxTag  = 512
	maxTags = 128
)

// header says of the answer how long it may be kept.
func (a *ask) header(of http.Header) http.Header {
	left, private := maxAge, false
	kept := 0
	for i := range a.parts {
		p := &a.parts[i]
		if p.kept {
			kept++
			left, private = min(left, p.left), private || p.private
		}
	}
	value := cacheControl(left, private)
	switch {
	case kept == 0 && of != nil:
		return of
	case kept < len(a.parts):
		value = "no-store"
	}
	header := maps.Clone(of)
	if header == nil {
		header = http.Header{}
	}
	header["Cache-Control"] = []string{value}
	return header
}

// response puts the answer together.
func (a *ask) response() *transport.Response {
	resp := &transport.Response{Status: http.StatusOK, Header: a.header(nil)}
	if len(a.op.lists) == 0 {
		resp.Body = a.parts[0].value
		return resp
	}
	size := 64
	for i := range a.parts {
		size += len(a.parts[i].value) + 1
	}
	b := append(make([]byte, 0, size), `{"data":{`...)
	next := 0
	for i := range a.op.lists {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), a.op.lists[i].key...), `":[`...)
		for first := next; next < len(a.parts) && a.parts[next].list == i; next++ {
			if next > first {
				b = append(b, ',')
			}
			b = append(b, a.parts[next].value...)
		}
		b = append(b, ']')
	}
	b = append(b, '}')
	if len(a.errors) > 0 {
		b = append(b, `,"errors":[`...)
		b = append(append(b, bytes.Join(a.errors, []byte{','})...), ']')
	}
	resp.Body = append(b, '}')
	return resp
}

// moved are errors of an answer for some of the entities, with their paths in the answer for all.
func (a *ask) moved(list []byte, parts []int) [][]byte {
	errors, _ := elements(list)
	out := make([][]byte, len(errors))
	for i, each := range errors {
		out[i] = a.move(each, parts)
	}
	return out
}

func (a *ask) move(each []byte, parts []int) []byte {
	var fields map[string]json.RawMessage
	var path []any
	if json.Unmarshal(each, &fields) != nil || json.Unmarshal(fields["path"], &path) != nil || len(path) < 2 {
		return each
	}
	index, isNumber := path[1].(float64)
	list := slices.IndexFunc(a.op.lists, func(l entityList) bool { return l.key == path[0] })
	if !isNumber || list < 0 {
		return each
	}
	// The index counts the entities of the list that were asked for; its place in the answer counts all of them.
	asked := slices.DeleteFunc(slices.Clone(parts), func(p int) bool { return a.parts[p].list != list })
	if int(index) < 0 || int(index) >= len(asked) {
		return each
	}
	first := slices.IndexFunc(a.parts, func(p part) bool { return p.list == list })
	path[1] = asked[int(index)] - first
	var err error
	if fields["path"], err = json.Marshal(path); err != nil {
		return each
	}
	moved, err := json.Marshal(fields)
	if err != nil {
		return each
	}
	return moved
}
