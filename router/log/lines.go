package log

import (
	"io"
	"sync"
	"time"
)

// Delay is how long a line may wait for others at most.
const Delay = 100 * time.Millisecond

// room is how many bytes wait at most: a pipe takes as much at a time.
const room = 64 << 10

// Lines is a writer in front of another one that gathers lines: a system call for each would cost a small request more than
// all else that its line takes. The first line after a while without any goes on at once; those that follow within Delay go
// together, and so do as many as there is room for. Who writes waits for the writer behind while that is slow: lines are
// never dropped.
//
// A process that ends without Flush loses what has come within the last Delay. It is safe for concurrent use.
type Lines struct {
	to io.Writer

	mu sync.Mutex
	// waiting are whole lines.
	waiting []byte
	// timer calls tick in a while, if gathering.
	timer     *time.Timer
	gathering bool
}

// NewLines returns Lines in front of a writer. It starts nothing.
func NewLines(to io.Writer) *Lines { return &Lines{to: to} }

// Write takes whole lines. The error may be that of lines before; none is told of those that are written when time is up.
func (l *Lines) Write(lines []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gathering {
		l.gather()
		return l.to.Write(lines)
	}
	l.waiting = append(l.waiting, lines...)
	if len(l.waiting) < room {
		return len(lines), nil
	}
	return len(lines), l.write()
}

// Flush writes what waits.
func (l *Lines) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write()
}

// gather lets lines wait from now on. The caller holds mu.
func (l *Lines) gather() {
	l.gathering = true
	if l.timer == nil {
		l.timer = time.AfterFunc(Delay, l.tick)
	} else {
		l.timer.Reset(Delay)
	}
}

// tick writes what has come since the last one. Nothing has: the next line needn't wait.
func (l *Lines) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gathering = len(l.waiting) > 0
	if l.gathering {
		_ = l.write() // a log that can't be written has nobody to say so to
		l.gather()
	}
}

// write writes what waits. The caller holds mu.
func (l *Lines) write() error {
	if len(l.waiting) == 0 {
		return nil
	}
	_, err := l.to.Write(l.waiting)
	if l.waiting = l.waiting[:0]; cap(l.waiting) > 2*room {
		l.waiting = nil
	}
	return err
}
