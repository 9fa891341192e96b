package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/plan"
)

// analysis is an operation that is carried out to see what each of its fetches takes.
type analysis struct {
	cfg       config.Config
	sdl       string
	query     string
	operation string
	variables json.RawMessage
	headers   []string
	std       streams
}

// analyzed is what the router says of an operation that it has answered.
type analyzed struct {
	Errors     []json.RawMessage `json:"errors"`
	Extensions struct {
		Plan json.RawMessage `json:"plan"`
	} `json:"extensions"`
}

// measured is a plan with what happened.
type measured struct {
	plan.Explanation
	Fetches []measuredFetch `json:"fetches"`
	Text    string          `json:"text"`
	Micros  int64           `json:"micros"`
}

type measuredFetch struct {
	Kind string `json:"kind"`
	plan.ExplainedFetch
	Runs []struct {
		StartMicros, EndMicros   int64
		Objects, Representations int
		BytesSent, BytesReceived int
		Status, Errors           int
		Error                    string
	} `json:"runs"`
}

// run asks a router that is made for it, through its front door, so that all of the configuration counts, and prints
// what the fetches took.
func (a *analysis) run(ctx context.Context, format string) error {
	made, err := a.cfg.Router(a.sdl, a.cfg.Log.Logger(a.std.err))
	if err != nil {
		return err
	}
	made.Explain = true
	engine, err := router.New(made)
	if err != nil {
		return fmt.Errorf("%s: %w", a.cfg.Supergraph, err)
	}
	answer, err := a.ask(ctx, engine, made.Serve.Endpoint())
	if err != nil {
		return err
	}
	if answer.Extensions.Plan == nil {
		return fmt.Errorf("the operation was refused: %s", bytes.Join(raw(answer.Errors), []byte("\n")))
	}
	if format == "json" {
		out := json.NewEncoder(a.std.out)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		return out.Encode(struct {
			Errors []json.RawMessage `json:"errors,omitempty"`
			Plan   json.RawMessage   `json:"plan"`
		}{answer.Errors, answer.Extensions.Plan})
	}
	var m measured
	if err := json.Unmarshal(answer.Extensions.Plan, &m); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	_, err = io.WriteString(a.std.out, m.String()+errorText(answer.Errors))
	return err
}

func (a *analysis) ask(ctx context.Context, engine *router.Router, path string) (*analyzed, error) {
	body, err := json.Marshal(map[string]any{"query": a.query, "operationName": a.operation, "variables": a.variables})
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	for _, header := range a.headers {
		name, value, _ := strings.Cut(header, ":")
		req.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	req.Header.Set("Agora-Explain", "analyze")
	answer := &recorded{header: http.Header{}}
	engine.ServeHTTP(answer, req)
	var out analyzed
	if err := json.Unmarshal(answer.body.Bytes(), &out); err != nil {
		return nil, fmt.Errorf("read the answer %.200q: %w", answer.body.Bytes(), err)
	}
	return &out, nil
}

// recorded keeps a response.
type recorded struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(int)             {}
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

// String tells of each fetch what it asked, why, what it waited for, and what it took.
func (m *measured) String() string {
	var b strings.Builder
	total, sent := 0, 0
	for i := range m.Fetches {
		total += len(m.Fetches[i].Runs)
		if len(m.Fetches[i].Runs) > 0 {
			sent++
		}
	}
	fmt.Fprintf(&b, "%d of %d fetches sent in %d requests, depth %d, %s\n", sent, len(m.Fetches), total, m.Depth, micros(m.Micros))
	for i := range m.Fetches {
		m.Fetches[i].write(&b)
	}
	b.WriteString("\n" + m.Text)
	return b.String()
}

func (f *measuredFetch) write(b *strings.Builder) {
	name := f.Subgraph
	if name == "" {
		name = "the router itself"
	}
	fmt.Fprintf(b, "\n%d  %s", f.ID, name)
	for _, e := range f.Entities {
		fmt.Fprintf(b, "  %s at %s", strings.Join(e.Representations, " | "), strings.Join(e.Paths, ", "))
	}
	fmt.Fprintf(b, "\n   asks   %s\n", f.Query)
	for _, why := range f.Reasons {
		fmt.Fprintf(b, "   for    %s\n", why)
	}
	if len(f.DependsOn) > 0 {
		fmt.Fprintf(b, "   after  %s\n", strings.Trim(fmt.Sprint(f.DependsOn), "[]"))
	}
	if len(f.Runs) == 0 {
		b.WriteString("   took   nothing: there was nobody to ask about\n")
	}
	for _, r := range f.Runs {
		fmt.Fprintf(b, "   took   %s from %s on", micros(r.EndMicros-r.StartMicros), micros(r.StartMicros))
		if f.Kind == "entities" {
			fmt.Fprintf(b, ", %d entities, %d distinct", r.Objects, r.Representations)
		}
		fmt.Fprintf(b, ", %d bytes out, %d in, status %d", r.BytesSent, r.BytesReceived, r.Status)
		if r.Errors > 0 {
			fmt.Fprintf(b, ", %d errors", r.Errors)
		}
		if r.Error != "" {
			b.WriteString(": " + r.Error)
		}
		b.WriteByte('\n')
	}
}

func micros(n int64) string { return (time.Duration(n) * time.Microsecond).String() }

func errorText(errs []json.RawMessage) string {
	if len(errs) == 0 {
		return ""
	}
	return "\nErrors of the answer:\n" + string(bytes.Join(raw(errs), []byte("\n"))) + "\n"
}

func raw(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}
