// Package host reads this machine from /proc and /sys, under the names that
// node_exporter's dashboards and rules ask for.
//
// It runs no command, needs no rights beyond reading, and never waits for a
// hanging file system: a mount that does not answer is reported as such and
// not asked again until it does. What a kernel does not have is left out. The
// exporter program makes one Source of it.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// Options of the host's source.
type Options struct {
	ProcFS   string // default /proc
	SysFS    string // default /sys
	RootFS   string // where the host's file systems are mounted, default /
	Interval time.Duration
	Timeout  time.Duration
	Names    collect.Names
	Now      func() time.Time // for tests
}

func (o Options) withDefaults() Options {
	if o.ProcFS == "" {
		o.ProcFS = "/proc"
	}
	if o.SysFS == "" {
		o.SysFS = "/sys"
	}
	if o.RootFS == "" {
		o.RootFS = "/"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Source makes the host's source.
func Source(o Options) (collect.Source, error) {
	h, err := newHost(o)
	if err != nil {
		return collect.Source{}, err
	}
	return collect.Source{Name: "host", Interval: o.Interval, Timeout: o.Timeout, Collector: h}, nil
}

type host struct {
	options  Options
	proc     procfs.FS
	block    blockdevice.FS
	mounts   *mountTable
	families *families
	named    map[string]collect.Family // whose names the kernel gives
}

var _ collect.Collector = (*host)(nil)

func newHost(o Options) (*host, error) {
	o = o.withDefaults()
	proc, err := procfs.NewFS(o.ProcFS)
	if err != nil {
		return nil, fmt.Errorf("opening procfs: %w", err)
	}
	block, err := blockdevice.NewFS(o.ProcFS, o.SysFS)
	if err != nil {
		return nil, fmt.Errorf("opening sysfs: %w", err)
	}
	return &host{
		options: o, proc: proc, block: block, mounts: newMountTable(),
		families: newFamilies(o.Names), named: map[string]collect.Family{},
	}, nil
}

// part reads one area. Parts do not know each other, and one failing does not
// hide the others.
type part struct {
	name string
	read func(*host, context.Context, *collect.Batch) error
}

func parts() []part {
	return []part{
		{"cpu", (*host).cpu},
		{"loadavg", (*host).load},
		{"meminfo", (*host).memory},
		{"filesystem", (*host).filesystems},
		{"diskstats", (*host).disks},
		{"netdev", (*host).network},
		{"netclass", (*host).interfaces},
		{"netstat", (*host).netstat},
		{"sockstat", (*host).sockets},
		{"softnet", (*host).softnet},
		{"conntrack", (*host).conntrack},
		{"vmstat", (*host).vmstat},
		{"filefd", (*host).files},
		{"entropy", (*host).entropy},
		{"pressure", (*host).pressure},
		{"schedstat", (*host).schedule},
		{"uname", (*host).uname},
		{"time", (*host).clock},
	}
}

// Collect reads every part.
func (h *host) Collect(ctx context.Context, s *collect.Batch) error {
	var failures []error
	for _, p := range parts() {
		start := time.Now()
		err := p.read(h, ctx, s)
		if absent(err) {
			err = nil // not on this kernel, in this container
		}
		success := 1.0
		if err != nil {
			success = 0
			failures = append(failures, fmt.Errorf("reading %s: %w", p.name, err))
		}
		s.Add(h.families.partSuccess, success, p.name)
		s.Add(h.families.partDuration, time.Since(start).Seconds(), p.name)
	}
	if err := errors.Join(failures...); err != nil {
		if cause := collect.CauseOf(err); cause != collect.Other {
			return collect.Fail(cause, err)
		}
		return collect.Fail(collect.Read, err)
	}
	return nil
}

// Down has nothing to say: a host that cannot be read has no state.
func (h *host) Down(*collect.Batch) {}

// Close has nothing to give back.
func (h *host) Close() {}

// absent tells a thing that this kernel does not have from one that failed.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOTSUP)
}
