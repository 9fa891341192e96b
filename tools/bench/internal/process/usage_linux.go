package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes make the program the leader of a group, that ends with the benchmark even if that is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// CPU is the processor time that the group has used, and whether it is known.
//
// The clock of another process counts in nanoseconds, where /proc/PID/stat has ticks of 10 ms; its number is made of the
// process id (clock_getcpuclockid(3)).
func (p *Process) CPU() (time.Duration, bool) {
	var sum time.Duration
	for _, pid := range p.group() {
		const scheduler = 2
		var used unix.Timespec
		if unix.ClockGettime(int32(^pid<<3|scheduler), &used) == nil {
			sum += time.Duration(used.Nano())
		}
	}
	return sum, true
}

// PeakMemory is the largest resident size of the group's processes since they began, in bytes, and whether it is
// known.
func (p *Process) PeakMemory() (int64, bool) {
	var sum int64
	for _, pid := range p.group() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for line := range bytes.Lines(status) {
			if text, ok := strings.CutPrefix(string(line), "VmHWM:"); ok {
				kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
				sum += kib << 10
			}
		}
	}
	return sum, true
}

// group are the ids of the processes in the group.
func (p *Process) group() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if group, err := syscall.Getpgid(pid); err == nil && group == p.cmd.Process.Pid {
			list = append(list, pid)
		}
	}
	return list
}
