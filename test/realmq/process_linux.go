package realmq

import "syscall"

// processAttributes has the kernel end a child when its parent is gone without
// a cleanup, as after the panic of a test's timeout.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
