//go:build unix && !linux

package process

import (
	"syscall"
	"time"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// CPU is known on Linux only.
func (p *Process) CPU() (time.Duration, bool) { return 0, false }

// PeakMemory is known on Linux only.
func (p *Process) PeakMemory() (int64, bool) { return 0, false }
