package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// child is a process of a cluster.
type child struct {
	name    string
	command []string
	// address is where it answers, and logs the folder of its log file.
	address, logs string
	// processors is how many of the machine's it uses at a time at most. Zero means all.
	processors int

	// mu guards the running process, nil if there is none.
	mu      sync.Mutex
	process *os.Process
	// ended counts how often the process has died.
	ended atomic.Int32
}

// The rhythm of supervision: how long a process may take to end and to become ready, and how long one that died is left.
const (
	stopTimeout  = 20 * time.Second
	readyTimeout = time.Minute
	restartPause = 500 * time.Millisecond
)

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return 0
	}
	return c.process.Pid
}

// shareProcessors gives each process twice what would be its share of the machine if all were busy. With more, idle threads of
// many programs look for work, and are woken for it, in each other's way: with all of two processors for each of eight programs
// a cluster took a quarter fewer orders.
func shareProcessors(all []*child) {
	for _, c := range all {
		c.processors = max(1, 2*runtime.NumCPU()/len(all))
	}
}

func (c *child) set(p *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = p
}

// supervise runs the process until ctx ends, and again whenever it dies before.
func (c *child) supervise(ctx context.Context, log *slog.Logger) error {
	// A child may be told to end with the thread that started it: see dieWithParent.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ctx.Err() == nil {
		began := time.Now()
		err := c.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		c.ended.Add(1)
		log.WarnContext(ctx, "a process has ended, and is started again", "process", c.name, "ran", time.Since(began).Round(time.Millisecond), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(restartPause):
		}
	}
	return nil
}

// run runs the process once. When ctx ends it is interrupted, and killed if it doesn't end then.
func (c *child) run(ctx context.Context) error {
	file, err := os.OpenFile(filepath.Join(c.logs, c.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	cmd.Stdout, cmd.Stderr = file, file
	if c.processors > 0 && os.Getenv("GOMAXPROCS") == "" {
		cmd.Env = append(cmd.Environ(), fmt.Sprint("GOMAXPROCS=", c.processors))
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the cluster, which ends its processes in order
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return err
	}
	c.set(cmd.Process)
	defer c.set(nil)
	return cmd.Wait()
}

// allReady waits until all processes say that they are ready.
func allReady(ctx context.Context, all []*child) error {
	for _, c := range all {
		if err := c.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until the process says that it is.
func (c *child) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		if c.healthy(ctx) {
			return nil
		}
		if c.ended.Load() > 2 {
			return fmt.Errorf("%s does not start: see %s", c.name, filepath.Join(c.logs, c.name+".log"))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: see %s", c.name, filepath.Join(c.logs, c.name+".log"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *child) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/health/ready", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// balancer shares the connections to one address among the replicas of a service, one after the other; one that can't be
// reached is passed over.
type balancer struct {
	address  string
	replicas []string
	next     atomic.Int64
}

// run takes connections until ctx ends.
func (b *balancer) run(ctx context.Context) error {
	l, err := net.Listen("tcp", b.address)
	if err != nil {
		return err
	}
	var open sync.WaitGroup
	defer open.Wait()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			l.Close()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		open.Go(func() { b.serve(ctx, conn) })
	}
}

// serve copies both ways until either side has enough.
func (b *balancer) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	var replica net.Conn
	for range b.replicas {
		address := b.replicas[int(b.next.Add(1))%len(b.replicas)]
		var err error
		if replica, err = net.DialTimeout("tcp", address, time.Second); err == nil {
			break
		}
	}
	if replica == nil {
		return
	}
	defer replica.Close()
	defer context.AfterFunc(ctx, func() { client.Close(); replica.Close() })()
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(client, replica)
		client.Close()
	})
	io.Copy(replica, client)
	replica.Close()
	back.Wait()
}
