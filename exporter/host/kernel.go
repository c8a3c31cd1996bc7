package host

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// files reads /proc/sys/fs/file-nr.
func (h *host) files(_ context.Context, s *collect.Batch) error {
	text, err := h.read("sys/fs/file-nr")
	if err != nil {
		return err
	}
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return collect.Fail(collect.Parse, fmt.Errorf("parsing file-nr: %q has fewer than 3 numbers", text))
	}
	for i, f := range map[int]collect.Family{0: h.families.filesAllocated, 2: h.families.filesMaximum} {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return collect.Fail(collect.Parse, fmt.Errorf("parsing file-nr: %w", err))
		}
		s.Add(f, v)
	}
	return nil
}

// entropy reads /proc/sys/kernel/random.
func (h *host) entropy(_ context.Context, s *collect.Batch) error {
	available, err := h.number("sys/kernel/random/entropy_avail")
	if err != nil {
		return err
	}
	s.Add(h.families.entropyAvailable, available)
	pool, err := h.number("sys/kernel/random/poolsize")
	if err != nil {
		return err
	}
	s.Add(h.families.entropyPool, pool)
	return nil
}

// conntrack reads the numbers of the connection table, where there is one.
func (h *host) conntrack(_ context.Context, s *collect.Batch) error {
	count, err := h.number("sys/net/netfilter/nf_conntrack_count")
	if err != nil {
		return err
	}
	limit, err := h.number("sys/net/netfilter/nf_conntrack_max")
	if err != nil {
		return err
	}
	s.Add(h.families.conntrack, count)
	s.Add(h.families.conntrackLimit, limit)
	return nil
}

// uname asks the kernel.
func (h *host) uname(_ context.Context, s *collect.Batch) error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("calling uname: %w", err)
	}
	s.Add(h.families.uname, 1,
		unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Version[:]),
		unix.ByteSliceToString(u.Machine[:]), unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Domainname[:]))
	return nil
}

// clock publishes the time at which the host was read.
func (h *host) clock(_ context.Context, s *collect.Batch) error {
	s.Add(h.families.time, float64(h.options.Now().UnixNano())/1e9)
	return nil
}
