package plan

import (
	"slices"
	"strconv"
	"strings"
)

// deferred prints the first part of the answer, and then each fragment that comes later: what it holds, and the
// requests that nobody before has made.
func (w *writer) deferred() {
	printed := map[*Fetch]bool{}
	fetches := func(of func(*Fetch) bool) (set []*Fetch) {
		for _, f := range w.plan.Fetches {
			if !printed[f] && of(f) {
				set = append(set, f)
				printed[f] = true
			}
		}
		return set
	}
	w.open("Defer {")
	w.open("Primary {")
	w.line(outputText(w.plan.Output))
	if set := fetches(func(f *Fetch) bool { return !f.Deferred }); len(set) > 0 {
		w.stages(set)
	}
	w.close("},")
	w.open("[")
	for _, d := range w.plan.Deferred {
		set := fetches(func(f *Fetch) bool { return slices.Contains(d.Fetches, f.ID) })
		w.open("Deferred(" + strings.Join(w.describe(d, set), ", ") + ") {")
		for _, i := range d.Increments {
			inc := w.plan.Increments[i]
			text := outputText(inc.Output)
			if path := w.path(inc.Path); path != w.path(d.Path) {
				text = path + " " + text
			}
			w.line(text)
		}
		if len(set) > 0 {
			w.stages(set)
		}
		w.close("},")
	}
	w.close("],")
	w.close("},")
}

func (w *writer) describe(d *Deferred, set []*Fetch) []string {
	var depends []string
	for _, f := range w.plan.Fetches {
		waits := func(o *Fetch) bool { return slices.Contains(o.DependsOn, f.ID) }
		if !slices.Contains(set, f) && slices.ContainsFunc(set, waits) {
			depends = append(depends, strconv.Itoa(f.ID))
		}
	}
	out := []string{"depends: [" + strings.Join(depends, ", ") + "]", strconv.Quote(w.path(d.Path))}
	out[1] = "path: " + out[1]
	if d.Label != "" {
		out = append(out, "label: "+strconv.Quote(d.Label))
	}
	if d.Parent >= 0 {
		out = append(out, "parent: "+strconv.Quote(w.plan.Deferred[d.Parent].Label))
	}
	return out
}

// id names a fetch that other parts of the answer wait for.
func (w *writer) id(f *Fetch) string {
	for _, o := range w.plan.Fetches {
		if o.Deferred && slices.Contains(o.DependsOn, f.ID) {
			return ", id: " + strconv.Itoa(f.ID)
		}
	}
	return ""
}

// outputText lists the response keys of an output.
func outputText(out *Output) string {
	parts := []string{"{"}
	var last string
	for i := range out.Fields {
		f := &out.Fields[i]
		text := f.Key
		if f.Output != nil && len(f.Output.Fields) > 0 {
			text += " " + outputText(f.Output)
		}
		if text != last {
			parts = append(parts, text)
		}
		last = text
	}
	return strings.Join(append(parts, "}"), " ")
}
