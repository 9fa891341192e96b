package main

import "syscall"

// dieWithParent has a child end when the thread that started it does: also when the cluster is killed.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
