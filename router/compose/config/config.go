// Package config reads rover's supergraph.yaml (or the same as JSON) and everything that it refers to: SDL files, SDL in
// place, and running subgraphs that are asked for their SDL, all at once. What comes out is the input of composition.
// The format is specified in https://www.apollographql.com/docs/rover/commands/supergraphs#yaml-configuration-file.
package config

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/compose"
)

// Options say where the configuration is and how to read what it refers to. The zero value needs only Path.
type Options struct {
	// Path is the configuration file; "-" reads Stdin, with paths relative to the working directory.
	Path string
	// Stdin is read for Path "-". Nil means os.Stdin.
	Stdin io.Reader
	// LookupEnv resolves ${env.NAME}. Nil means os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Client asks running subgraphs. Nil means http.DefaultClient.
	Client *http.Client
	// Timeout bounds the question to one subgraph. Zero means 10 s.
	Timeout time.Duration
}

// Config is a configuration with all schemas read.
type Config struct {
	// FederationVersion is as written, or empty.
	FederationVersion string
	// Subgraphs are sorted by name.
	Subgraphs []compose.Subgraph
	// Warnings are about keys that nothing reads.
	Warnings []Problem
	// Files are those read, the configuration first, also those that could not be: what to watch for changes.
	Files []File
	// Asked tells whether subgraphs were asked for their SDL: they may change without a file changing.
	Asked bool
}

// Problem is something wrong in a configuration, with its place.
type Problem struct {
	// File is the configuration's path; Line and Column count from 1 and are 0 where there is no place.
	File         string
	Line, Column int
	Message      string
}

// Error writes file:line:column: message.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all of them.
type Problems []Problem

// Error writes a line each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Read reads the configuration and all schemas. It reports every problem found, not only the first. Subgraphs are asked in
// parallel, each for at most Timeout. Where there are problems, the configuration holds only Files and Asked: what to watch
// for the day when they are solved.
func Read(ctx context.Context, o Options) (*Config, Problems) {
	r := &reader{Options: o, folder: filepath.Dir(o.Path), name: o.Path}
	if r.LookupEnv == nil {
		r.LookupEnv = os.LookupEnv
	}
	if r.Client == nil {
		r.Client = http.DefaultClient
	}
	if r.Timeout == 0 {
		r.Timeout = 10 * time.Second
	}
	text, err := r.text()
	if err != nil {
		return &Config{Files: r.files}, Problems{{File: r.name, Message: err.Error()}}
	}
	r.decode(text)
	r.fetch(ctx)
	c := &Config{Files: r.files, Asked: slices.ContainsFunc(r.subgraphs, func(s *declared) bool { return s.address != "" })}
	if len(r.problems) > 0 {
		return c, r.problems
	}
	c.FederationVersion, c.Warnings = r.federation, r.warnings
	for _, s := range r.subgraphs {
		c.Subgraphs = append(c.Subgraphs, s.Subgraph)
	}
	slices.SortFunc(c.Subgraphs, func(a, b compose.Subgraph) int { return strings.Compare(a.Name, b.Name) })
	return c, nil
}

// reader holds what is read and what is wrong with it.
type reader struct {
	Options
	folder, name string
	federation   string
	subgraphs    []*declared
	files        []File
	warnings     Problems
	problems     Problems
}

// declared is a subgraph of the configuration, whose SDL may still have to be read.
type declared struct {
	compose.Subgraph
	at      Problem
	address string
	headers map[string]string
	failure string
}

func (r *reader) text() ([]byte, error) {
	if r.Path == "-" {
		r.name, r.folder = "stdin", "."
		in := r.Stdin
		if in == nil {
			in = os.Stdin
		}
		return io.ReadAll(in)
	}
	text, err := r.open(r.Path)
	if err != nil {
		return nil, fmt.Errorf("read: %w", withoutPath(err))
	}
	return text, nil
}

// fetch asks the running subgraphs, all at once, and reports those that did not answer, in order.
func (r *reader) fetch(ctx context.Context) {
	var wait sync.WaitGroup
	for _, s := range r.subgraphs {
		if s.address == "" {
			continue
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			sdl, err := r.introspect(ctx, s.address, s.headers)
			if err != nil {
				s.failure = fmt.Sprintf("subgraph %q: introspect %s: %s", s.Name, s.address, err)
			}
			s.SDL = sdl
		}()
	}
	wait.Wait()
	for _, s := range r.subgraphs {
		if s.failure != "" {
			p := s.at
			p.Message = s.failure
			r.problems = append(r.problems, p)
		}
	}
}
