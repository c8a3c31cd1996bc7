package servers

import (
	"context"
	"syscall"
)

// Program starts a program of our own, at path, and waits until readyURL
// answers 200. Its args must hold the port themselves; addr is what it listens on.
func Program(ctx context.Context, name, path, addr, readyURL string, o Options) (*Process, error) {
	dir, owns, _, err := o.place(name)
	if err != nil {
		return nil, err
	}
	return start(ctx, spec{
		name: name, program: path, args: o.Args, dir: dir, ownsDir: owns, addr: addr,
		url: "http://" + addr, ending: syscall.SIGTERM,
		ready: func(ctx context.Context) error { return httpReady(ctx, readyURL) },
	})
}
