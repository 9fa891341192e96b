package config

import (
	"cmp"
	"context"
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
}

// ReadFile reads a file, and remembers what it was like just before: what changes meanwhile counts as changed. The File is
// good for waiting even if it can't be read.
func ReadFile(path string) ([]byte, File, error) {
	f := File{Path: path}
	f.modified, f.size = stat(path)
	text, err := os.ReadFile(path)
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

// Changed tells whether the file is another one now, by time of modification and size.
func (f File) Changed() bool {
	modified, size := stat(f.Path)
	return !modified.Equal(f.modified) || size != f.size
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
