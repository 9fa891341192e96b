package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryRuleHasItsCasesAndEveryCaseItsRule(t *testing.T) {
	named := map[string]bool{}
	for line := range strings.Lines(read(t, "testdata/RULES.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.Contains(cells[1], "---") || strings.TrimSpace(cells[2]) == "cases" {
			continue
		}
		for name := range strings.SplitSeq(cells[2], ",") {
			name = strings.TrimSpace(name)
			named[name] = true
			if _, err := os.Stat(filepath.Join("testdata", name+".txtar")); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(cells[1]), err)
			}
		}
	}
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txtar"); !named[name] {
			t.Errorf("RULES.md says of no rule that %s shows it", name)
		}
	}
}
