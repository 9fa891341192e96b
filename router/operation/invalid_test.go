package operation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// Each file holds operations that are valid or not by one family of rules, and the errors of each: line, column
// and message.
func TestValidation(t *testing.T) {
	schema, err := os.ReadFile("testdata/invalid/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	sg := load(t, string(schema))
	files, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := parts(archive)
		out := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			name, isQuery := strings.CutSuffix(f.Name, ".graphql")
			if !isQuery {
				continue
			}
			_, errs := Parse(sg, string(f.Data), Limits{})
			got := describe(errs)
			out.Files = append(out.Files, f, txtar.File{Name: name + ".errors", Data: []byte(got)})
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				if diff := cmp.Diff(string(want[name+".errors"]), got); diff != "" && !*update {
					t.Errorf("errors (-want +got):\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func describe(errs Errors) string {
	var b strings.Builder
	for _, e := range errs {
		for i, l := range e.Locations {
			if i > 0 {
				b.WriteString(" ")
			}
			fmt.Fprintf(&b, "%d:%d", l.Line, l.Column)
		}
		code := ""
		if e.Code != CodeValidation {
			code = e.Code + " "
		}
		b.WriteString(" " + code + e.Message + "\n")
	}
	return b.String()
}
