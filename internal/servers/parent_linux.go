package servers

import "syscall"

// dieWithParent makes the kernel end the server when we are killed, so that a
// killed test run leaves nothing behind.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
