package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/tools/bench/internal/load"
)

// Report is the outcome of a run.
type Report struct {
	Go, System  string
	Processors  int
	Seconds     float64
	Rounds      int
	Connections int
	Workloads   []*Workload
}

// Workload holds the figures of all programs under one workload.
type Workload struct {
	Name, Title string
	// AnswerBytes is the size of agora's answer; zero where answers differ.
	AnswerBytes int
	Programs    []*Program
}

// Program holds the figures of one program under one workload: medians over rounds, and the rounds.
type Program struct {
	Name  string
	Floor bool
	Round
	// PeakMemory is in bytes.
	PeakMemory int64
	// WarmUp is the number of requests before the rounds, with every answer compared.
	WarmUp int64
	// Failed is the number of requests without the right answer, Errors some of the reasons.
	Failed int64
	Errors []string
	All    []Round
}

// Round holds the figures of one round. Times are in milliseconds; CPU is the processor time of the program per
// request, zero if it is not known.
type Round struct {
	Requests         int64
	Seconds          float64
	PerSecond        float64
	P50, P99         float64
	CPU              float64
	SubgraphRequests float64
}

func (p *Program) fail(r load.Result) {
	p.Failed += r.Failed
	if r.Err != nil {
		p.Errors = append(p.Errors, r.Err.Error())
	}
}

// summarise sets the medians.
func (p *Program) summarise() {
	median := func(of func(Round) float64) float64 {
		var values []float64
		for _, r := range p.All {
			values = append(values, of(r))
		}
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	p.Round = Round{
		Requests:         int64(median(func(r Round) float64 { return float64(r.Requests) })),
		Seconds:          median(func(r Round) float64 { return r.Seconds }),
		PerSecond:        median(func(r Round) float64 { return r.PerSecond }),
		P50:              median(func(r Round) float64 { return r.P50 }),
		P99:              median(func(r Round) float64 { return r.P99 }),
		CPU:              median(func(r Round) float64 { return r.CPU }),
		SubgraphRequests: median(func(r Round) float64 { return r.SubgraphRequests }),
	}
}

// failures are errors for programs with wrong answers.
func (w *Workload) failures() []error {
	var errs []error
	for _, p := range w.Programs {
		if p.Failed > 0 || len(p.Errors) > 0 {
			errs = append(errs, fmt.Errorf("workload %s: %s: %d requests failed: %w", w.Name, p.Name, p.Failed, errors.New(strings.Join(p.Errors, "; "))))
		}
	}
	return errs
}

// program is the one with a name, nil if there is none.
func (w *Workload) program(is func(*Program) bool) *Program {
	if i := slices.IndexFunc(w.Programs, is); i >= 0 {
		return w.Programs[i]
	}
	return nil
}

// Markdown is the table of a workload.
func (w *Workload) Markdown() string {
	floor := w.program(func(p *Program) bool { return p.Floor })
	router := w.program(func(p *Program) bool { return p.Name == "agora" })
	var out strings.Builder
	fmt.Fprintf(&out, "### (%s) %s", w.Name, w.Title)
	if w.AnswerBytes > 0 {
		fmt.Fprintf(&out, ": an answer of %d bytes", w.AnswerBytes)
	}
	out.WriteString("\n\n")
	out.WriteString("| program | CPU ms | × floor | × agora | requests/s | p50 ms | p99 ms | subgraph requests | peak MiB | failed |\n")
	out.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range w.Programs {
		fmt.Fprintf(&out, "| %s | %.3f | %s | %s | %.0f | %.2f | %.2f | %.2f | %d | %d |\n", p.Name, p.CPU,
			ratio(p, floor), ratio(p, router), p.PerSecond, p.P50, p.P99, p.SubgraphRequests, p.PeakMemory>>20, p.Failed)
	}
	out.WriteString("\n")
	return out.String()
}

func ratio(p, to *Program) string {
	if to == nil || to.CPU == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", p.CPU/to.CPU)
}

// Notes say how it was measured.
func (r *Report) Notes() string {
	return fmt.Sprintf(`%d connections, each with one request at a time; medians of %d interleaved rounds of %g s; %s, %s, %d processors.
CPU is the processor time of the program per request. The floors make the subgraph requests of agora's plan with fixed
bodies and answer with fixed bytes, behind net/http's server; under (c) they do for each what one of them needs.
Sharing of requests in flight is off unless a row says so: agora has none in its default configuration, and the npm peers
are configured without. Subgraph requests per operation show it.
`, r.Connections, r.Rounds, r.Seconds, r.Go, r.System, r.Processors)
}

// Markdown is the whole report.
func (r *Report) Markdown() string {
	var out strings.Builder
	for _, w := range r.Workloads {
		out.WriteString(w.Markdown())
	}
	out.WriteString(r.Notes())
	return out.String()
}

// JSON is the whole report with the figures of all rounds.
func (r *Report) JSON() []byte {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // numbers and strings
	}
	return append(text, '\n')
}
