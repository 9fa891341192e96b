package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
)

// LintOptions are those of the subgraph lint command.
type LintOptions struct {
	// File is the SDL to validate; "-" reads Stdin.
	File string
	// Name is the subgraph's. Empty means the file's base name.
	Name string
	// Format is "plain" or "json". Empty means plain.
	Format         string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Lint validates one subgraph by itself and returns the exit status.
func Lint(o LintOptions) int {
	as := Options{Format: o.Format, Stdout: o.Stdout, Stderr: o.Stderr}
	var sdl []byte
	var err error
	if o.File == "-" {
		in := o.Stdin
		if in == nil {
			in = os.Stdin
		}
		sdl, err = io.ReadAll(in)
	} else {
		sdl, err = os.ReadFile(o.File)
	}
	if err != nil {
		return as.notRun(fmt.Sprintf("lint: %s", err))
	}
	name := o.Name
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(o.File), filepath.Ext(o.File))
	}
	errs := compose.Lint(compose.Subgraph{Name: name, SDL: string(sdl), File: o.File}, compose.Config{})
	if len(errs) > 0 {
		return as.failed(errs)
	}
	if o.Format == "json" {
		fmt.Fprintln(o.Stdout, `{"json_version":"1","data":{"success":true},"error":null}`)
	}
	return Composed
}
