// Command composediff compares this repository's composition with that of the npm package @apollo/composition, on cases
// that it generates or reads: outcome, error codes, supergraph, API schema and hints. The package is no dependency of the
// product; README.md says how to install it beside the check.
//
//	composediff -npm FOLDER [-golden FOLDER] [-cases FILE.json] [-count N] [-seed S] [-second] [-verbose]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/composetest"
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
	golden := flag.String("golden", "", "folder with golden cases (txtar) to compare instead")
	count := flag.Int("count", 1000, "how many cases to generate")
	seed := flag.Uint64("seed", 1, "seed of the first generated case")
	words := flag.Bool("messages", false, "compare messages, too")
	second := flag.Bool("second", false, "compare with @theguild/federation-composition instead: errors alone")
	verbose := flag.Bool("verbose", false, "show the subgraphs of cases that differ")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	differ, err := run(ctx, *npm, choice{*file, *golden, *count, *seed, *words, *second}, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "composediff:", err)
		os.Exit(2)
	}
	if differ > 0 {
		os.Exit(1)
	}
}

// choice says which cases to compare.
type choice struct {
	file, golden string
	count        int
	seed         uint64
	messages     bool
	second       bool
}

func run(ctx context.Context, npm string, which choice, verbose bool) (int, error) {
	oracle := ""
	if which.second {
		oracle = "second"
	}
	o, err := startOracle(ctx, npm, oracle)
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
		mine := ours(subgraphs)
		if which.second {
			mine = outcome{Errors: mine.Errors}
		}
		kind, detail := compare(mine, theirs)
		if kind == "" && which.messages && theirs.Crash == "" {
			if detail = wording(mine, theirs); detail != "" {
				kind = "messages"
			}
		}
		if kind != "" {
			kinds[kind]++
			show(name, kind, detail, subgraphs, verbose && kinds[kind] <= 2)
		}
		return nil
	}
	if err := which.each(each); err != nil {
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

func (w choice) each(visit func(string, []compose.Subgraph) error) error {
	switch {
	case w.golden != "":
		return w.eachGolden(visit)
	case w.file != "":
		return w.eachInFile(visit)
	}
	for i := range uint64(w.count) {
		if err := visit(fmt.Sprint("seed ", w.seed+i), composetest.Subgraphs(w.seed+i)); err != nil {
			return err
		}
	}
	return nil
}

func (w choice) eachGolden(visit func(string, []compose.Subgraph) error) error {
	paths, err := filepath.Glob(filepath.Join(w.golden, "*.txtar"))
	if err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			return fmt.Errorf("read cases: %w", err)
		}
		var all []compose.Subgraph
		for _, f := range a.Files {
			if name, ok := strings.CutSuffix(f.Name, ".graphql"); ok {
				all = append(all, compose.Subgraph{Name: name, URL: "http://" + name, SDL: string(f.Data)})
			}
		}
		if err := visit(filepath.Base(p), all); err != nil {
			return err
		}
	}
	return nil
}

func (w choice) eachInFile(visit func(string, []compose.Subgraph) error) error {
	text, err := os.ReadFile(w.file)
	if err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	var cases []testCase
	if err := json.Unmarshal(text, &cases); err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	for _, c := range cases {
		if err := visit(c.Name, c.subgraphs()); err != nil {
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
