// Package log writes the lines of log/slog for routers that answer many requests: in come records, or lines of JSON that are
// encoded already, out go bytes to a writer, many lines at a time.
//
// What warns of something does not wait: it is written at once, with all lines before it.
package log

import (
	"context"
	"io"
	"log/slog"
)

// New returns a logger that writes to w lines of JSON, or of text for people, of this level and those above. If w is Lines,
// lines wait there for others: who ends the process calls Flush before.
func New(w io.Writer, json bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	lines, gathers := w.(*Lines)
	switch {
	case json && gathers:
		return slog.New(jsonHandler{handler{slog.NewJSONHandler(w, options), lines}})
	case json:
		return slog.New(slog.NewJSONHandler(w, options))
	case gathers:
		return slog.New(handler{slog.NewTextHandler(w, options), lines})
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// LineWriter is a slog.Handler of lines of JSON that takes some which are encoded already: one JSON object and a line feed, as
// slog.JSONHandler writes it. Handlers that add attributes or change records are none.
type LineWriter interface {
	slog.Handler
	// WriteLine writes a line of a level that is enabled.
	WriteLine(level slog.Level, line []byte) error
}

// handler is another one whose warnings don't wait in lines.
type handler struct {
	slog.Handler
	lines *Lines
}

// Handle writes a record.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if err := h.Handler.Handle(ctx, r); err != nil || r.Level < slog.LevelWarn {
		return err
	}
	return h.lines.Flush()
}

// WithAttrs returns the handler with attributes for all records.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.lines}
}

// WithGroup returns the handler with a group around what records have.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.lines}
}

// jsonHandler is a LineWriter.
type jsonHandler struct{ handler }

var _ LineWriter = jsonHandler{}

// WriteLine writes a line.
func (h jsonHandler) WriteLine(level slog.Level, line []byte) error {
	if _, err := h.lines.Write(line); err != nil || level < slog.LevelWarn {
		return err
	}
	return h.lines.Flush()
}
