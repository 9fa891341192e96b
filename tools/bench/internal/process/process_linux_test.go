package process

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestWhatAProgramStartsIsMeasuredAndStoppedWithIt(t *testing.T) {
	var log bytes.Buffer
	p, err := Start(&log, "", []string{"GREETING=hello"}, "sh", "-c", `echo $GREETING; sh -c 'while :; do :; done' & wait`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if used, _ := p.CPU(); used > 50*time.Millisecond {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the busy child costs nothing")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if peak, _ := p.PeakMemory(); peak < 100<<10 {
		t.Errorf("peak memory is %d bytes", peak)
	}
	p.Stop()
	for len(p.group()) > 0 { // killed, and soon collected by the system
		if time.Now().After(deadline) {
			t.Fatalf("processes %v are left", p.group())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(log.String(), "hello") {
		t.Errorf("log %q, want the output", log.String())
	}
}
