package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/subgraphs/orders"
)

// brokenBy are the fault points that no trade goes by, and the tests that break each. Their files have to name the point.
var brokenBy = map[string]string{
	"users.refreshed":       "TestAClientWhoseAnswersAreLostGoesOnAtAnyReplica",
	"users.registered":      "TestARegistrationThatFailsHalfwayLeavesNothingAndCanBeRepeated",
	"users.register.stored": "TestARegistrationThatFailsHalfwayLeavesNothingAndCanBeRepeated",
	"users.mail.sent":       "TestAMessageWhoseSendingIsInDoubtIsSentAgainUnderTheSameName",
	"users.erased":          "TestADeletedAccountIsKeptForAWhileAndThenErased",
	"users.password.reset":  "TestAResetWhoseAnswerIsLostHasHappenedOnce",
	"products.importing":    "TestAnImportThatIsKilledGoesOnWhereItWas",
	"products.imported":     "TestAnImportThatIsKilledGoesOnWhereItWas",
	"extract.step":          "TestAMoveThatIsKilledGoesOnWhereItWasAndOneThatDiffersIsRefused",
	"extract.verified":      "TestAMoveThatIsKilledGoesOnWhereItWasAndOneThatDiffersIsRefused",
	"extract.switched":      "TestAMoveThatIsKilledGoesOnWhereItWasAndOneThatDiffersIsRefused",
}

// sources are all files of Go but generated ones.
func sources(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry os.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && (entry.Name() == "gen" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryFaultPointIsOneAtWhichSomethingIsKilled(t *testing.T) {
	names := orders.FaultPoints()
	tests := map[string]string{} // what a file of tests says, by the tests in it
	for _, file := range sources(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(string(raw), -1) {
				tests[found[1]] = string(raw)
			}
			continue
		}
		for _, found := range regexp.MustCompile(`fault\.Point\("([^"]+)"\)`).FindAllStringSubmatch(string(raw), -1) {
			names = append(names, found[1])
		}
	}
	for _, name := range names {
		known := slices.ContainsFunc(points, func(p point) bool { return p.name == name })
		test := brokenBy[strings.TrimSuffix(name, ".recorded")]
		if !known && (test == "" || !strings.Contains(tests[test], name)) {
			t.Errorf("nothing is killed at %s: add it to points, or name the test that breaks it", name)
		}
	}
	for _, p := range points {
		if !slices.Contains(names, p.name) {
			t.Errorf("there is no point %s", p.name)
		}
	}
}

func TestFiguresAreWhatTestsLogWithTheirEngine(t *testing.T) {
	got := figuresOf([]byte("=== RUN   TestX\n=== RUN   TestX/sqlite\n    x_test.go:3: 5 of 5\n=== NAME  TestX/postgres\n    x_test.go:3: 6 of 6\n--- PASS: TestX (0.1s)\n=== RUN   TestY\n    y_test.go:9: seven\nok\n"))
	want := []string{"sqlite: 5 of 5", "postgres: 6 of 6", "seven"}
	if !slices.Equal(got, want) {
		t.Errorf("figures %q, want %q", got, want)
	}
}
