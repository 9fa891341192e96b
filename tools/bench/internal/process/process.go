// Package process runs the programs that the benchmark compares, and asks the system what they cost.
//
// Each program is the leader of a process group of its own: what it starts is measured with it and stopped with it.
package process

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a running program.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	stop sync.Once
	err  error
}

// Start runs a program, with its output in log. Who starts a process must Stop it.
func Start(log io.Writer, dir string, env []string, command ...string) (*Process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	// Grandchildren may hold the log open after the program has ended.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// Done is closed when the program has ended by itself or was stopped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, after Done.
func (p *Process) Err() error { return p.err }

// Stop ends the program and all that it started: asked first, killed three seconds later.
func (p *Process) Stop() {
	p.stop.Do(func() {
		group := -p.cmd.Process.Pid
		_ = syscall.Kill(group, syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(3 * time.Second):
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
		<-p.done
	})
}

// Address is a loopback address whose port is free now.
func Address() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
