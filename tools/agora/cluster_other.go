//go:build !linux

package main

import "syscall"

// dieWithParent does nothing where the system can't: children of a cluster that is killed have to be ended by hand.
func dieWithParent(*syscall.SysProcAttr) {}
