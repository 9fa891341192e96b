// Command composediff compares this repository's composition with that of the npm package @apollo/composition, on cases
// that it generates or reads: outcome, error codes, supergraph, API schema and hints. The package is no dependency of the
// product; README.md says how to install it beside the check.
//
//	composediff -npm FOLDER [-cases FILE.json] [-count N] [-seed S] [-verbose]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
)

// testCase is a set of subgraphs to compose.
type testCase struct {
	Name      string `json:"name"`
	Subgraphs []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
		SDL  string `json:"sdl"`
	} `json:"subgraphs"`
}

func (c testCase) subgraphs() []compose.Subgraph {
	var all []compose.Subgraph
	for _, s := range c.Subgraphs {
		all = append(all, compose.Subgraph{Name: s.Name, URL: s.URL, SDL: s.SDL})
	}
	return all
}

func main() {
	npm := flag.String("npm", "", "folder in which npm installed @apollo/composition and graphql")
	file := flag.String("cases", "", "JSON file with cases; without it, cases are generated")
	count := flag.Int("count", 1000, "how many cases to generate")
	seed := flag.Uint64("seed", 1, "seed of the first generated case")
	verbose := flag.Bool("verbose", false, "show the subgraphs of cases that differ")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	differ, err := run(ctx, *npm, *file, *count, *seed, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "composediff:", err)
		os.Exit(2)
	}
	if differ > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, npm, file string, count int, seed uint64, verbose bool) (int, error) {
	o, err := startOracle(ctx, npm)
	if err != nil {
		return 0, err
	}
	defer o.stop()
	kinds, seen := map[string]int{}, map[string]int{}
	total, composed, crashed := 0, 0, 0
	each := func(name string, subgraphs []compose.Subgraph) error {
		theirs, err := o.compose(subgraphs)
		if err != nil {
			return fmt.Errorf("case %s: %w", name, err)
		}
		total++
		if theirs.Crash != "" {
			crashed++
		} else if len(theirs.Errors) == 0 {
			composed++
		}
		for _, c := range codes(theirs.Errors) {
			seen[c]++
		}
		if kind, detail := compare(ours(subgraphs), theirs); kind != "" {
			kinds[kind]++
			show(name, kind, detail, subgraphs, verbose && kinds[kind] <= 2)
		}
		return nil
	}
	if err := eachCase(file, count, seed, each); err != nil {
		return 0, err
	}
	differ := 0
	for _, k := range sorted(kinds) {
		fmt.Printf("%5d  %s\n", kinds[k], k)
		differ += kinds[k]
	}
	for _, c := range sorted(seen) {
		fmt.Printf("%5d  cases with %s in the reference\n", seen[c], c)
	}
	fmt.Printf("%d cases: %d compose in the reference, %d make it crash; %d differ\n", total, composed, crashed, differ)
	return differ, nil
}

func eachCase(file string, count int, seed uint64, each func(string, []compose.Subgraph) error) error {
	if file == "" {
		for i := range uint64(count) {
			if err := each(fmt.Sprint("seed ", seed+i), generate(seed+i)); err != nil {
				return err
			}
		}
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	var cases []testCase
	if err := json.Unmarshal(text, &cases); err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	for _, c := range cases {
		if err := each(c.Name, c.subgraphs()); err != nil {
			return err
		}
	}
	return nil
}

func show(name, kind, detail string, subgraphs []compose.Subgraph, whole bool) {
	fmt.Printf("## %s: %s\n%s", name, kind, detail)
	if !whole {
		return
	}
	for _, s := range subgraphs {
		fmt.Printf("  -- %s --\n  %s\n", s.Name, strings.ReplaceAll(strings.TrimSpace(s.SDL), "\n", "\n  "))
	}
}

func sorted(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
