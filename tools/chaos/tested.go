package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
)

// logged is a figure that a test has logged, and began the line that says whose figures follow.
var (
	logged = regexp.MustCompile(`^\s+\w+_test\.go:\d+: (.*)$`)
	began  = regexp.MustCompile(`^=== (?:RUN|NAME|CONT)\s+(\S+)$`)
)

// tested is a campaign that is a test of a package: run with AGORA_CAMPAIGN set, it tries as often as is promised. Its
// figures are what it logs.
func tested(pkg, tests string) func(ctx context.Context, cfg *config) (string, error) {
	return func(ctx context.Context, _ *config) (string, error) {
		test := exec.CommandContext(ctx, "go", "test", "-v", "-count=1", "-timeout", "120m", "-run", tests, pkg)
		test.Env = append(os.Environ(), "AGORA_CAMPAIGN=100")
		out, err := test.CombinedOutput()
		if err != nil {
			return "go test " + pkg, fmt.Errorf("%w\n%s", err, out)
		}
		figures := figuresOf(out)
		if len(figures) == 0 {
			return "go test " + pkg, errors.New("it logs no figures: is there such a test?")
		}
		return strings.Join(figures, "\n"), nil
	}
}

// figuresOf are the lines that tests have logged, each with the engine that it is about.
func figuresOf(output []byte) []string {
	var figures []string
	engine := ""
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		if name := began.FindStringSubmatch(lines.Text()); name != nil {
			engine = ""
			if last := path.Base(name[1]); last == "sqlite" || last == "postgres" {
				engine = last + ": "
			}
		}
		if figure := logged.FindStringSubmatch(lines.Text()); figure != nil {
			figures = append(figures, engine+figure[1])
		}
	}
	return figures
}
