package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// agora carries out a command in this process and returns its status and all that it prints.
func agora(t *testing.T, args ...string) (status int, printed string) {
	t.Helper()
	var out bytes.Buffer
	status = run(t.Context(), args, &out, &out)
	return status, out.String()
}

func TestACatalogueIsImportedByCommandAndExportedAgain(t *testing.T) {
	folder := t.TempDir()
	data, file := filepath.Join(folder, "data"), filepath.Join(folder, "pots.csv")
	const head = "slug,name,description,category,currency,sku,variant,price\n"
	if err := os.WriteFile(file, []byte(head+"pot,Pot,A pot.,pots:Pots,EUR,POT,Pot,21.00\nlid,Lid,A lid.,pots:Pots,EUR,LID,Lid,many\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args   string
		status int
		want   string
	}{
		{"import FILE --data DATA --dry-run", 1, "FILE:3: price: want an amount such as 21.00, not \"many\"\ndry run: 1 created, 0 changed, 0 as they were, 1 refused\nagora: 1 products of FILE are refused\n"},
		{"import --data DATA FILE", 1, "FILE:3: price: want an amount such as 21.00, not \"many\"\nstored: 1 created, 0 changed, 0 as they were, 1 refused\nagora: 1 products of FILE are refused\n"},
		{"export FILE.jsonl --data DATA", 0, "1 products in FILE.jsonl\n"},
		{"export FILE --data DATA", 0, "1 products in FILE\n"},
		{"import FILE.jsonl --data DATA", 0, "stored: 0 created, 0 changed, 1 as they were, 0 refused\n"},
		{"import FILE --data DATA --batch 1", 0, "stored: 0 created, 0 changed, 1 as they were, 0 refused\n"},
		{"import FILE.txt --data DATA", 1, "agora: open FILE.txt: no such file or directory\n"},
		{"import FILE.jsonl --data DATA --format csv", 1, "agora: FILE.jsonl: line 1: want the names of the columns"},
		{"import --data DATA", 2, "agora catalogue import: which "},
		{"import FILE more", 2, "agora catalogue import: unexpected argument \"more\"\n"},
		{"import FILE --batch 0", 2, "agora catalogue import: --batch 0: want 1 to 1000\n"},
		{"print", 2, "usage: agora catalogue import "},
	} {
		names := strings.NewReplacer("FILE", file, "DATA", data)
		args := append([]string{"catalogue"}, strings.Fields(names.Replace(step.args))...)
		status, printed := agora(t, args...)
		if status != step.status || !strings.HasPrefix(printed, names.Replace(step.want)) {
			t.Errorf("catalogue %s: %d %q, want %d %q", step.args, status, printed, step.status, names.Replace(step.want))
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("exports left %v (%v)", left, err)
	}
}

func TestAnImportThatIsKilledGoesOnWhereItWas(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "many.jsonl")
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"slug":"p-%d","name":"P %d","description":"x","category":"c:C","currency":"EUR","variants":[{"sku":"P-%d","name":"x","price":"1"}]}`+"\n", i, i, i)
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for round, fault := range []string{"products.imported", "products.importing", "products.imported", ""} {
		command := exec.Command(binary, "catalogue", "import", file, "--data", folder, "--batch", "10")
		command.Env = append(os.Environ(), "AGORA_FAULTS="+fault+"=kill")
		if fault == "" {
			command.Env = os.Environ()
		}
		out, err := command.CombinedOutput()
		if (err != nil) != (fault != "") {
			t.Errorf("round %d: %v %s", round, err, out)
		}
		if fault == "" && string(out) != "resumed behind line 20\nstored: 30 created, 0 changed, 0 as they were, 0 refused\n" {
			t.Errorf("the last round: %s", out)
		}
	}
}
