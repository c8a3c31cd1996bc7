package action

import "syscall"

// dieWithParent makes the kernel end the program when the receiver is killed,
// so that a run found interrupted does not act on behind our back.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
