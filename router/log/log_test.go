package log_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agora-supergraph/agora/router/log"
)

// writes are what a writer was given, a string a call.
type writes struct {
	mu   sync.Mutex
	list []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, string(b))
	return len(b), nil
}

func (w *writes) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

func TestLinesGoTogetherButNeverLaterThanTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		logger := log.New(log.NewLines(w), false, slog.LevelInfo)
		begun := time.Now()
		for _, message := range []string{"first", "second", "third"} {
			logger.Info(message)
		}
		if len(w.calls()) != 1 || !strings.Contains(w.calls()[0], "first") {
			t.Fatalf("at first %q: a line that comes alone should not wait", w.calls())
		}
		for len(w.calls()) < 2 {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		if took := time.Since(begun); took > log.Delay {
			t.Errorf("lines have waited for %s", took)
		}
		if strings.Count(w.calls()[1], "\n") != 2 {
			t.Errorf("then %q, want two lines", w.calls()[1])
		}
		time.Sleep(2 * log.Delay)
		logger.Info("after a while")
		if len(w.calls()) != 3 {
			t.Errorf("%q: a line after a while should not wait", w.calls())
		}
	})
}

func TestWarningsAndWhatStandsBeforeThemDoNotWait(t *testing.T) {
	for _, json := range []bool{false, true} {
		for name, decorate := range map[string]func(*slog.Logger) *slog.Logger{
			"plain":           func(l *slog.Logger) *slog.Logger { return l },
			"with attributes": func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("g") },
		} {
			w := &writes{}
			logger := decorate(log.New(log.NewLines(w), json, slog.LevelInfo))
			logger.Info("first")
			logger.Info("second")
			logger.Warn("third")
			if got := strings.Join(w.calls(), ""); len(w.calls()) != 2 || strings.Count(got, "\n") != 3 {
				t.Errorf("json %v, %s: %q", json, name, w.calls())
			}
		}
	}
}

func TestFlushWritesWhatWaits(t *testing.T) {
	w := &writes{}
	lines := log.NewLines(w)
	logger := log.New(lines, true, slog.LevelInfo)
	for range 3 {
		logger.Info("line")
	}
	if err := lines.Flush(); err != nil || strings.Count(strings.Join(w.calls(), ""), "\n") != 3 {
		t.Errorf("%q, %v", w.calls(), err)
	}
	if err := lines.Flush(); err != nil || len(w.calls()) != 2 {
		t.Errorf("with nothing there: %q, %v", w.calls(), err)
	}
}

func TestManyLinesDoNotWaitForTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		logger := log.New(log.NewLines(w), true, slog.LevelInfo)
		for range 10_000 {
			logger.Info("line", "text", strings.Repeat("x", 100))
		}
		if len(w.calls()) < 10 {
			t.Errorf("%d writes at once of a megabyte", len(w.calls()))
		}
		for _, call := range w.calls() {
			if !strings.HasSuffix(call, "\n") {
				t.Fatalf("a write ends within a line: %q", call[len(call)-80:])
			}
		}
	})
}

func TestLinesOfManyGoroutinesStayWhole(t *testing.T) {
	var out bytes.Buffer
	lines := log.NewLines(&out)
	logger := log.New(lines, true, slog.LevelInfo)
	direct := logger.Handler().(log.LineWriter)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				logger.LogAttrs(context.Background(), slog.LevelInfo, "by slog")
				_ = direct.WriteLine(slog.LevelInfo, []byte("{\"msg\":\"by itself\"}\n"))
			}
		})
	}
	wg.Wait()
	_ = lines.Flush()
	count := map[bool]int{}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("broken line %q", line)
		}
		count[strings.Contains(line, "by itself")]++
	}
	if count[true] != 4000 || count[false] != 4000 {
		t.Errorf("lines %v, want 4000 of each", count)
	}
}

func TestAnyOtherWriterGetsEachLineAtOnce(t *testing.T) {
	w := &writes{}
	logger := log.New(w, true, slog.LevelWarn)
	logger.Info("not of the level")
	logger.Warn("first")
	logger.Warn("second")
	if len(w.calls()) != 2 {
		t.Errorf("%q", w.calls())
	}
}
