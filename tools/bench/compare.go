package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/tools/bench/internal/load"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// measured is a target under one workload.
type measured struct {
	*running
	verifier *verifier
	client   load.Client
	next     uint64
	result   *Program
}

// compare measures all programs under each workload and prints the tables.
func (b *bench) compare(ctx context.Context, programs []target, out io.Writer) error {
	report := &Report{
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(),
		Seconds: b.seconds, Rounds: b.rounds, Connections: b.connections,
	}
	var failures []error
	for _, w := range workloads() {
		if !contains(b.workloads, w.name) {
			continue
		}
		result, err := b.workload(ctx, w, programs)
		if err != nil {
			return fmt.Errorf("workload %s: %w", w.name, err)
		}
		report.Workloads = append(report.Workloads, result)
		failures = append(failures, result.failures()...)
		if _, err := io.WriteString(out, result.Markdown()); err != nil {
			return err
		}
	}
	if len(report.Workloads) == 0 {
		return fmt.Errorf("no workload in %q", b.workloads)
	}
	if _, err := io.WriteString(out, report.Notes()); err != nil {
		return err
	}
	return errors.Join(append(failures, report.save(b.markdown, b.json))...)
}

func contains(commas, name string) bool {
	return strings.Contains(","+commas+",", ","+name+",")
}

// workload measures all programs under one workload. Each is started anew, so that its peak of memory is that of the
// workload.
func (b *bench) workload(ctx context.Context, w workload, programs []target) (*Workload, error) {
	result := &Workload{Name: w.name, Title: w.title}
	all, err := b.startAll(ctx, w, programs)
	defer func() {
		for _, m := range all {
			m.client.Close()
			m.stop()
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		result.Programs = append(result.Programs, m.result)
		b.warm(ctx, w, m)
	}
	for round := range b.rounds {
		for i := range all {
			b.round(ctx, w, all[(i+round)%len(all)])
		}
	}
	for _, m := range all {
		m.result.PeakMemory, _ = m.process.PeakMemory()
		m.result.summarise()
		if right := m.verifier.right.Load(); right != nil && m.name == "agora" {
			result.AnswerBytes = len(*right)
		}
	}
	return result, ctx.Err()
}

// startAll starts the programs; the floors do what the router does, so that it is started first.
func (b *bench) startAll(ctx context.Context, w workload, programs []target) ([]*measured, error) {
	all := make([]*measured, len(programs))
	started := func() []*measured {
		var list []*measured
		for _, m := range all {
			if m != nil {
				list = append(list, m)
			}
		}
		return list
	}
	fixture := ""
	for _, floors := range []bool{false, true} {
		for i, t := range programs {
			if t.floor != floors {
				continue
			}
			if variant, ours := strings.CutPrefix(t.name, "agora"); ours && b.profile != "" {
				t.env = append(t.env, "AGORA_BENCH_PROFILE="+filepath.Join(b.profile, w.name+strings.ReplaceAll(variant, ", ", "-")+".pprof"))
			}
			r, err := b.start(ctx, t, fixture)
			if err != nil {
				return started(), err
			}
			all[i] = &measured{running: r, verifier: b.verifier(w), result: &Program{Name: t.name, Floor: t.floor}}
			if fixture == "" {
				if fixture, err = b.fixture(ctx, w, r); err != nil {
					return started(), err
				}
			}
		}
	}
	return started(), b.subgraphs.Set(ctx, state(w.delay, false))
}

func state(delay time.Duration, record bool) shop.State {
	return shop.State{Delay: delay, Record: record}
}

func (b *bench) verifier(w workload) *verifier {
	return &verifier{oracle: b.oracle, body: w.body(), fixed: w.fixed}
}

// warm runs a program until its caches and its compiler have settled, and compares every answer.
func (b *bench) warm(ctx context.Context, w workload, m *measured) {
	r := b.load(ctx, w, m, b.warmUp, m.verifier.every)
	m.result.WarmUp = r.Requests
	m.result.fail(r)
}

func (b *bench) load(ctx context.Context, w workload, m *measured, seconds float64, verify func(uint64, []byte) error) load.Result {
	if m.floor && !w.fixed {
		verify = func(uint64, []byte) error { return nil } // it has one answer for all
	}
	r := m.client.Run(ctx, load.Config{
		Address: m.address, Path: m.path, Connections: b.connections,
		Duration: time.Duration(seconds * float64(time.Second)),
		Body:     w.body(), First: m.next, Verify: verify,
	})
	m.next += uint64(r.Requests)
	return r
}

// round measures a program for once.
func (b *bench) round(ctx context.Context, w workload, m *measured) {
	before, errBefore := b.subgraphs.State(ctx)
	used, _ := m.process.CPU()
	r := b.load(ctx, w, m, b.seconds, m.verifier.sampled)
	m.result.fail(r)
	usedAfter, known := m.process.CPU()
	after, errAfter := b.subgraphs.State(ctx)
	if err := errors.Join(errBefore, errAfter); err != nil {
		m.result.Errors = append(m.result.Errors, err.Error())
	}
	round := Round{Requests: r.Requests, Seconds: r.Elapsed.Seconds(), P50: ms(r.P50), P99: ms(r.P99)}
	if r.Requests > 0 {
		n := float64(r.Requests)
		round.PerSecond = n / round.Seconds
		round.SubgraphRequests = float64(after.Requests-before.Requests) / n
		if known {
			round.CPU = ms(usedAfter-used) / n
		}
	}
	m.result.All = append(m.result.All, round)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// save writes the report to files, if they are named.
func (r *Report) save(markdown, jsonFile string) error {
	var errs []error
	if markdown != "" {
		errs = append(errs, os.WriteFile(markdown, []byte(r.Markdown()), 0o644))
	}
	if jsonFile != "" {
		errs = append(errs, os.WriteFile(jsonFile, r.JSON(), 0o644))
	}
	return errors.Join(errs...)
}
