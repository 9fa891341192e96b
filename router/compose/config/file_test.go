package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/compose/config"
)

func TestAFileIsAnotherOneAlsoWithinATickOfTheFileSystemsClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "supergraph.yaml")
	now := time.Now()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	_, file, err := config.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if write("one"); file.Changed() {
		t.Error("the same file counts as changed")
	}
	if write("two"); !file.Changed() {
		t.Error("another file of the same size and time doesn't count as changed")
	}
}
