package config

import (
	"cmp"
	"context"
	"crypto/sha256"
	"os"
	"slices"
	"time"
)

// File is a file as it was when it was read.
type File struct {
	// Path is the file's.
	Path string

	modified time.Time
	size     int64
	// text is the sum of what was read, if the file was young then.
	text [sha256.Size]byte
	read bool
}

// young is the age up to which a file's time of modification doesn't tell it from the next one: clocks of file systems tick, and
// a file may be replaced by one of the same size within a tick.
const young = 2 * time.Second

// ReadFile reads a file, and remembers what it was like just before: what changes meanwhile counts as changed. The File is
// good for waiting even if it can't be read.
func ReadFile(path string) ([]byte, File, error) {
	f := File{Path: path}
	f.modified, f.size = stat(path)
	now := time.Now()
	text, err := os.ReadFile(path)
	if err == nil && now.Sub(f.modified) < young {
		f.text, f.read = sha256.Sum256(text), true
	}
	return text, f, err
}

// stat is the time of modification and the size; both are zero for what is not there.
func stat(path string) (time.Time, int64) {
	at, err := os.Stat(path)
	if err != nil {
		return time.Time{}, 0
	}
	return at.ModTime(), at.Size()
}

// Changed tells whether the file is another one now, by time of modification and size, and where these may not tell by what
// is in it.
func (f File) Changed() bool {
	modified, size := stat(f.Path)
	if !modified.Equal(f.modified) || size != f.size {
		return true
	}
	if !f.read {
		return false
	}
	text, err := os.ReadFile(f.Path)
	return err != nil || sha256.Sum256(text) != f.text
}

const (
	// forever is how long to wait for files alone: they are looked at until one changes.
	forever = 24 * time.Hour
	// askAgain is how long to wait until running subgraphs are asked for their SDL again.
	askAgain = 10 * time.Second
)

// Await waits until what the configuration was read from may have changed, or ctx ends. It looks at files once per interval,
// zero meaning every second: polling finds what editors, container mounts and network file systems do, of which the kernel
// does not always tell; it costs a stat a file. Where subgraphs were asked it returns after ten seconds, since only asking
// tells.
func (c *Config) Await(ctx context.Context, interval time.Duration) {
	most := forever
	if c.Asked {
		most = askAgain
	}
	ticker := time.NewTicker(cmp.Or(interval, time.Second))
	defer ticker.Stop()
	end := time.NewTimer(most)
	defer end.Stop()
	for !slices.ContainsFunc(c.Files, File.Changed) {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-ticker.C:
		}
	}
}

func (r *reader) open(path string) ([]byte, error) {
	text, file, err := ReadFile(path)
	r.files = append(r.files, file)
	return text, err
}
