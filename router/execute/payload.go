package execute

import (
	"bytes"
	"slices"
	"strconv"
)

// hold keeps some of the errors recorded so far for a later part of the answer.
func (d *delivery) hold(later func(errorRecord) bool) {
	l := &d.state.errors
	for _, r := range l.records {
		if later(r) {
			d.held = append(d.held, r)
		}
	}
	l.records = slices.DeleteFunc(l.records, later)
}

// due takes the errors that belong to what has been delivered by now.
func (d *delivery) due() []errorRecord {
	l := &d.state.errors
	l.records = append(l.records, d.held...)
	d.held = d.held[:0]
	d.hold(func(r errorRecord) bool { return r.fetch < len(d.state.fetches) && !d.answered(r.fetch) })
	due := slices.Clone(l.records)
	slices.SortStableFunc(due, func(a, b errorRecord) int { return a.fetch - b.fetch })
	l.records = l.records[:0]
	if most := d.state.cfg.MaxErrors; len(due) > most {
		due = due[:most]
	}
	return due
}

// answered reports whether a fetch belongs to a part that has been delivered.
func (d *delivery) answered(fetch int) bool {
	return !d.state.fetches[fetch].fetch.Deferred || slices.ContainsFunc(d.fragments, func(f fragment) bool {
		return f.done && slices.Contains(f.Fetches, fetch)
	})
}

// pending tells what has been announced since the last response.
func (d *delivery) pending(b []byte) []byte {
	announced := d.announced
	d.announced = nil
	if len(announced) == 0 || d.state.req.Format != Pending {
		return b
	}
	b = append(b, `"pending":[`...)
	for i, in := range announced {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(append(b, '{'), in)
		b = appendPath(append(b, `,"path":`...), in.path)
		if in.of.Label != "" {
			b = appendString(append(b, `,"label":`...), in.of.Label)
		}
		b = append(b, '}')
	}
	return append(b, ']', ',')
}

func appendID(b []byte, in *instance) []byte {
	return append(strconv.AppendInt(append(b, `"id":"`...), int64(in.id), 10), '"')
}

// write writes a part of the answer: entries with their data, and which fragments that completes.
func (d *delivery) write(b, data []byte, entries []entry, done []*instance, due []errorRecord) []byte {
	// A fragment that failed has no data, but is told of; so it takes errors like others.
	all := entries
	for _, in := range done {
		if in.failed {
			all = append(all, entry{instance: in, path: in.path, start: -1})
		}
	}
	d.assign(all, due)
	b = d.pending(append(b, '{'))
	if d.state.req.Format == Paths {
		b = d.paths(b, data, all)
	} else {
		b = d.incremental(b, data, all)
		b = d.completed(b, all, done)
	}
	b = strconv.AppendBool(append(b, `"hasNext":`...), !d.over())
	return append(b, '}')
}

func (d *delivery) incremental(b, data []byte, all []entry) []byte {
	opened := false
	for i := range all {
		e := &all[i]
		if e.start < 0 {
			continue
		}
		if opened {
			b = append(b, ',')
		} else {
			b = append(b, `"incremental":[`...)
		}
		opened = true
		b = appendID(append(b, '{'), e.instance)
		if sub := e.path[len(e.instance.path):]; len(sub) > 0 {
			b = appendPath(append(b, `,"subPath":`...), sub)
		}
		b = append(append(b, `,"data":`...), data[e.start:e.end]...)
		b = append(d.appendErrors(b, e.errors), '}')
	}
	if opened {
		b = append(b, ']', ',')
	}
	return b
}

func (d *delivery) completed(b []byte, all []entry, done []*instance) []byte {
	b = append(b, `"completed":[`...)
	for i, in := range done {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(append(b, '{'), in)
		if in.failed {
			failed := slices.IndexFunc(all, func(e entry) bool { return e.instance == in })
			b = d.appendErrors(b, all[failed].errors)
		}
		b = append(b, '}')
	}
	return append(b, ']', ',')
}

// paths writes entries in the form of 2022.
func (d *delivery) paths(b, data []byte, all []entry) []byte {
	b = append(b, `"incremental":[`...)
	for i := range all {
		e := &all[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"data":`...)
		if e.start < 0 {
			b = append(b, "null"...)
		} else {
			b = append(b, data[e.start:e.end]...)
		}
		b = appendPath(append(b, `,"path":`...), e.path)
		if e.of.Label != "" {
			b = appendString(append(b, `,"label":`...), e.of.Label)
		}
		b = append(d.appendErrors(b, e.errors), '}')
	}
	return append(b, ']', ',')
}

// assign gives each error to the entry that it belongs to: the deepest one above it, else one that it stands above,
// else the first. Of several at one object, it is the one that failed: without an error it would pass for delivered.
func (d *delivery) assign(all []entry, due []errorRecord) {
	if len(all) == 0 || len(due) == 0 {
		return
	}
	paths := make([][]byte, len(all))
	for i := range all {
		path := appendPath(nil, all[i].path)
		paths[i] = path[1 : len(path)-1]
	}
	for _, r := range due {
		best, length := 0, -1
		var at []byte
		if r.path > 0 {
			at = d.state.errors.json[r.path:r.end]
		}
		for i, path := range paths {
			switch {
			case within(at, path) && (len(path) > length || len(path) == length && all[i].start < 0):
				best, length = i, len(path)
			case length < 0 && within(path, bytes.TrimSuffix(at[:endOfPath(at)], []byte("]"))):
				best, length = i, 0
			}
		}
		all[best].errors = append(all[best].errors, r)
	}
}

// endOfPath is where the path ends that an error's JSON begins with.
func endOfPath(b []byte) int {
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = scanString(b, i+1)
		case ']':
			return i
		default:
			i++
		}
	}
	return 0
}

// within reports whether a path, as JSON without its brackets, leads through another one.
func within(path, through []byte) bool {
	if len(through) == 0 {
		return true
	}
	rest, ok := bytes.CutPrefix(path, through)
	return ok && (len(rest) == 0 || rest[0] == ',' || rest[0] == ']')
}

func (d *delivery) appendErrors(b []byte, records []errorRecord) []byte {
	if len(records) == 0 {
		return b
	}
	b = append(b, `,"errors":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d.state.errors.json[r.start:r.end]...)
	}
	return append(b, ']')
}
