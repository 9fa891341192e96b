package check

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes a result for people: changes by severity, then operations, then a line that sums up.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "%s: [%s] %s: %s", c.Severity, c.Code, c.Coordinate, c.Message)
		if len(c.Subgraphs) > 0 {
			fmt.Fprintf(&b, " (in %s)", strings.Join(c.Subgraphs, ", "))
		}
		b.WriteByte('\n')
		if c.Advice != "" {
			fmt.Fprintf(&b, "  %s\n", c.Advice)
		}
	}
	for _, o := range r.Broken {
		fmt.Fprintf(&b, "breaks: %s\n", o.title())
		o.write(&b)
	}
	for _, o := range r.Invalid {
		fmt.Fprintf(&b, "invalid already: %s\n", o.title())
		o.write(&b)
	}
	fmt.Fprintf(&b, "%d breaking, %d dangerous, %d safe changes", r.Count(Breaking), r.Count(Dangerous), r.Count(Safe))
	if r.Checked+len(r.Invalid) > 0 {
		fmt.Fprintf(&b, "; %d of %d operations break", len(r.Broken), r.Checked)
		if len(r.Invalid) > 0 {
			fmt.Fprintf(&b, ", %d were invalid already", len(r.Invalid))
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// title names an operation: its name, its key, its client, and the file.
func (d Document) title() string {
	name := d.Operation
	if name == "" {
		name = "an anonymous operation"
	}
	if d.ID != "" {
		name += " (" + d.ID + ")"
	}
	if d.Client != "" {
		name += " of " + d.Client
	}
	return name + " in " + d.File
}

func (o Operation) write(b *strings.Builder) {
	for _, e := range o.Errors {
		b.WriteString("  ")
		// A manifest's lines are not the operation's.
		if o.ID == "" {
			fmt.Fprintf(b, "%s:", e.File)
		}
		if e.Line > 0 {
			fmt.Fprintf(b, "%d:%d:", e.Line, e.Column)
		}
		fmt.Fprintf(b, " %s\n", e.Message)
	}
	for _, c := range o.Changes {
		fmt.Fprintf(b, "  uses %s: %s\n", c.Coordinate, c.Message)
	}
}
