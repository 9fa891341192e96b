// Package command is the logic of the commands around composition, without their flags: it reads the configuration,
// composes, writes SDL or JSON to one writer and remarks for people to another, and says how to exit. The conventions are
// those of `rover supergraph compose` (https://www.apollographql.com/docs/rover/commands/supergraphs).
package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/config"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Exit statuses.
const (
	// Composed: the supergraph was written.
	Composed = 0
	// Failed: the subgraphs do not compose, or hints were as severe as FailOnHints.
	Failed = 1
	// NotRun: bad options, an unreadable file, a subgraph that did not answer.
	NotRun = 2
)

// Options are those of the compose command. Config, Stdout and Stderr are needed.
type Options struct {
	// Config is the path of supergraph.yaml; "-" reads Stdin.
	Config string
	// Output is a file to write the SDL (or the JSON document) to instead of Stdout.
	Output string
	// Format is "plain" or "json". Empty means plain.
	Format string
	// FederationVersion overrides the configuration's, for instance "=2.9".
	FederationVersion string
	// FailOnHints is DEBUG, INFO or WARN: hints of that level or above make the command fail. Empty means none does.
	FailOnHints string
	// SkipSatisfiability leaves out that check.
	SkipSatisfiability bool
	// Timeout bounds the question to one running subgraph. Zero means 10 s.
	Timeout time.Duration
	// Poll is how often Watch looks at files. Zero means every second.
	Poll time.Duration
	// Client asks running subgraphs. Nil means http.DefaultClient.
	Client *http.Client
	// Stdin is read for Config "-". Nil means os.Stdin.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// written is what was written last.
	written []byte
}

// Compose runs the command and returns its exit status.
func Compose(ctx context.Context, o Options) int {
	failOn, err := o.check()
	if err != nil {
		return o.notRun(err.Error())
	}
	c, problems := config.Read(ctx, config.Options{Path: o.Config, Stdin: o.Stdin, Client: o.Client, Timeout: o.Timeout})
	if len(problems) > 0 {
		return o.unreadable(problems)
	}
	return o.compose(c, failOn)
}

// compose composes what a configuration names, writes the outcome and returns the exit status.
func (o *Options) compose(c *config.Config, failOn report.Level) int {
	for _, w := range c.Warnings {
		fmt.Fprintf(o.Stderr, "warning: %s\n", w.Error())
	}
	version := c.FederationVersion
	if o.FederationVersion != "" {
		version = o.FederationVersion
	}
	if err := compose.CheckVersion(version); err != nil {
		return o.notRun(err.Error())
	}
	result, errs := compose.Compose(c.Subgraphs, compose.Config{FederationVersion: version, SkipSatisfiability: o.SkipSatisfiability})
	if len(errs) > 0 {
		return o.failed(errs)
	}
	if err := o.write(result); err != nil {
		return o.notRun(err.Error())
	}
	for _, h := range result.Hints {
		if failOn > 0 && h.Level() >= failOn {
			fmt.Fprintf(o.Stderr, "error: there are hints of level %s or above\n", failOn)
			return Failed
		}
	}
	return Composed
}

// check validates the options and reads the level of FailOnHints.
func (o *Options) check() (report.Level, error) {
	if o.Config == "" {
		return 0, fmt.Errorf("no configuration: give --config supergraph.yaml, or - for standard input")
	}
	if o.Format != "" && o.Format != "plain" && o.Format != "json" {
		return 0, fmt.Errorf("format %q is neither plain nor json", o.Format)
	}
	if o.FailOnHints == "" {
		return 0, nil
	}
	for _, l := range []report.Level{report.Debug, report.Info, report.Warn} {
		if strings.EqualFold(o.FailOnHints, l.String()) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("level %q of hints is none of DEBUG, INFO, WARN", o.FailOnHints)
}

// notRun reports why the command could not run.
func (o *Options) notRun(message string) int {
	if o.Format == "json" {
		_ = report.WriteFailureJSON(o.Stdout, message)
	} else {
		for line := range strings.Lines(message) {
			fmt.Fprintf(o.Stderr, "error: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	return NotRun
}

// unreadable reports what is wrong with the configuration and what it refers to.
func (o *Options) unreadable(problems config.Problems) int {
	if o.Format != "json" {
		return o.notRun(problems.Error())
	}
	var messages []string
	for _, p := range problems {
		messages = append(messages, p.Error())
	}
	_ = report.WriteConfigJSON(o.Stdout, messages)
	return NotRun
}

func (o *Options) failed(errs report.Errors) int {
	if o.Format == "json" {
		_ = report.WriteErrorsJSON(o.Stdout, errs)
	} else {
		_ = report.WriteErrors(o.Stderr, errs)
	}
	return Failed
}

// write writes the supergraph, and hints for people where the format is plain.
func (o *Options) write(r *compose.Result) error {
	var b bytes.Buffer
	if o.Format == "json" {
		_ = report.WriteJSON(&b, r.SDL, r.FederationVersion, r.Hints)
	} else {
		_ = report.WriteHints(o.Stderr, r.Hints)
		b.WriteString(r.SDL)
	}
	if bytes.Equal(b.Bytes(), o.written) {
		return nil
	}
	o.written = b.Bytes()
	if o.Output == "" {
		_, err := o.Stdout.Write(b.Bytes())
		return err
	}
	return replace(o.Output, b.Bytes())
}

// replace writes a file whole or not at all, so that who watches it never reads a half.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
