package host

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mountPatience is how long one mount may take to answer. A network file
// system whose server is gone never does, and cannot be interrupted.
const mountPatience = 500 * time.Millisecond

// mountTable asks mounts, and remembers those that have not answered yet, so
// that a dead one costs one goroutine in all and not one a collection.
type mountTable struct {
	ask      asker
	patience time.Duration

	mu    sync.Mutex
	stuck map[string]bool
}

func newMountTable() *mountTable {
	return &mountTable{ask: unix.Statfs, patience: mountPatience, stuck: map[string]bool{}}
}

// statfs returns the numbers of the file system at path, or why there are none
// as the label device_error has it.
func (t *mountTable) statfs(ctx context.Context, path string) (unix.Statfs_t, string) {
	if t.isStuck(path) {
		return unix.Statfs_t{}, "mountpoint timeout"
	}
	type answer struct {
		stat unix.Statfs_t
		err  error
	}
	answered := make(chan answer, 1)
	t.setStuck(path, true)
	go func() {
		var a answer
		a.err = t.ask(path, &a.stat)
		t.setStuck(path, false)
		answered <- a
	}()
	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	select {
	case a := <-answered:
		return a.stat, errorLabel(a.err)
	case <-patience.C:
		return unix.Statfs_t{}, "mountpoint timeout"
	case <-ctx.Done():
		return unix.Statfs_t{}, "mountpoint timeout"
	}
}

func (t *mountTable) isStuck(path string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stuck[path]
}

func (t *mountTable) setStuck(path string, stuck bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if stuck {
		t.stuck[path] = true
	} else {
		delete(t.stuck, path)
	}
}

// errorLabel is the kernel's own short text; the set of them is closed.
func errorLabel(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &errno):
		return errno.Error()
	default:
		return "other"
	}
}
