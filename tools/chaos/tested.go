package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
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
		out, err := runTests(ctx, pkg, tests, 1)
		if err != nil {
			return "go test " + pkg, err
		}
		figures := figuresOf(out)
		if len(figures) == 0 {
			return "go test " + pkg, errors.New("it logs no figures: is there such a test?")
		}
		return strings.Join(figures, "\n"), nil
	}
}

// races are how often a test of a race is run.
const races = 100

// raced is a campaign that is a test of races of a package, each run many times.
func raced(pkg, tests string) func(ctx context.Context, cfg *config) (string, error) {
	return func(ctx context.Context, _ *config) (string, error) {
		out, err := runTests(ctx, pkg, tests, races)
		if err != nil {
			return "go test " + pkg, err
		}
		held := map[string]int{}
		for _, test := range passed.FindAllSubmatch(out, -1) {
			held[string(test[1])]++
		}
		var figures []string
		for _, test := range slices.Sorted(maps.Keys(held)) {
			figures = append(figures, fmt.Sprintf("%s: %d times", test, held[test]))
		}
		if len(figures) == 0 {
			return "go test " + pkg, errors.New("is there such a test?")
		}
		return strings.Join(figures, "\n"), nil
	}
}

// passed is a test, on one engine if it is run on several, that has passed.
var passed = regexp.MustCompile(`(?m)^ *--- PASS: (Test\w+(?:/sqlite|/postgres)) `)

func runTests(ctx context.Context, pkg, tests string, times int) ([]byte, error) {
	test := exec.CommandContext(ctx, "go", "test", "-v", fmt.Sprint("-count=", times), "-timeout", "120m", "-run", tests, pkg)
	test.Env = append(os.Environ(), "AGORA_CAMPAIGN=100")
	out, err := test.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return out, nil
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
