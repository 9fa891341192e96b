// Package browsertest drives a headless Chromium from a Go test: open a page, click, type, ask the
// page for values, and read what it logged and requested.
//
// In goes a testing.TB; out come pages whose methods end the test with a clear message when a step
// fails, so that a test reads as the steps alone. The browser runs with a profile of its own and
// resolves no host but this machine, so a test never leaves it. The package speaks the
// Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol) over the WebSocket
// that Chromium opens on a port the system chooses.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds the start of the browser and each single step: far above what any takes, since
// it is only reached when something is broken.
const patience = 30 * time.Second

const install = "install Chromium (Debian, Ubuntu: apt-get install chromium; macOS: brew install --cask chromium) " +
	"or name a Chrome or Chromium in the environment variable CHROME"

// Find returns the path of the Chromium or Chrome to use: what the environment variable CHROME
// names, else the first of the usual names on PATH. The error says how to install one.
func Find() (string, error) {
	if named := os.Getenv("CHROME"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("find browser: CHROME=%s: %w; %s", named, err, install)
		}
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find browser: none on PATH; " + install)
}

// Browser is a running Chromium. It ends with its test.
type Browser struct {
	conn *conn
}

// Start starts a browser for a test and its subtests. Without one on the machine the test is skipped: make test has
// tried to install one and says what came of it.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	path, err := Find()
	if err != nil {
		tb.Skip(err)
	}
	profile, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { removeProfile(tb, profile) })
	stderr, err := os.Create(filepath.Join(profile, "stderr"))
	if err != nil {
		tb.Fatal(err)
	}
	defer stderr.Close()
	command := exec.Command(path, arguments(profile)...)
	command.Stderr = stderr
	if err := command.Start(); err != nil {
		tb.Fatalf("start %s: %v", path, err)
	}
	browser := &Browser{}
	tb.Cleanup(func() { browser.stop(command) })
	address, err := devTools(profile)
	if err != nil {
		said, _ := os.ReadFile(stderr.Name())
		tb.Fatalf("start %s: %v; it says:\n%s", path, err, said)
	}
	if browser.conn, err = dial(address); err != nil {
		tb.Fatal(err)
	}
	return browser
}

func arguments(profile string) []string {
	return []string{
		"--headless",
		"--no-sandbox", // Containers grant no user namespaces; the pages are our own.
		"--disable-gpu",
		"--disable-dev-shm-usage",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
		"--disable-extensions",
		"--no-first-run",
		"--no-default-browser-check",
		"--window-size=1400,900",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
		"--remote-debugging-port=0",
		"--user-data-dir=" + profile,
		"about:blank",
	}
}

// devTools waits for the file in which Chromium says where it listens: a port, then a path.
func devTools(profile string) (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
		if err != nil {
			continue
		}
		if port, path, complete := strings.Cut(strings.TrimSpace(string(content)), "\n"); complete {
			return "ws://127.0.0.1:" + port + path, nil
		}
	}
	return "", errors.New("DevTools did not come up")
}

// stop asks the browser to close, so that it ends its own child processes, and kills it if it
// does not.
func (b *Browser) stop(command *exec.Cmd) {
	if b.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = b.conn.call(ctx, "", "Browser.close", nil, nil) // It may be gone before it can answer.
		b.conn.close()
	}
	killer := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	defer killer.Stop()
	if b.conn == nil {
		_ = command.Process.Kill()
	}
	_ = command.Wait() // Its exit status says nothing about the test.
}

// removeProfile tries for a while: the browser's child processes write until they notice its end.
func removeProfile(tb testing.TB, profile string) {
	var err error
	for range 50 {
		if err = os.RemoveAll(profile); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	tb.Logf("remove browser profile: %v", err)
}
