package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fail runs agora with arguments that can't work, and returns what it prints.
func fail(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stderr = &out
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("agora %s: %v, want exit status 1", strings.Join(args, " "), err)
	}
	return out.String()
}

func TestAStartThatCantWorkSaysWhyInOneLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "orders.db"), []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"a port that is taken", []string{"dev", "--listen", taken.Addr().String(), "--data", t.TempDir()}, taken.Addr().String()},
		{"a data folder that is a file", []string{"dev", "--listen", "127.0.0.1:0", "--data", file}, file},
		{"a database that is none", []string{"dev", "--listen", "127.0.0.1:0", "--data", broken}, "orders.db"},
		{"a subgraph that isn't there", []string{"dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--http", "weather"}, "weather"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := fail(t, test.args...)
			if !strings.Contains(got, test.want) || strings.Count(strings.TrimSpace(got), "\n") != 0 {
				t.Errorf("printed %q, want one line that names %s", got, test.want)
			}
		})
	}
}
