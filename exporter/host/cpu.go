package host

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/prometheus/procfs"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// cpu reads /proc/stat.
func (h *host) cpu(_ context.Context, s *collect.Batch) error {
	stat, err := h.proc.Stat()
	if err != nil {
		return err
	}
	f := h.families
	for _, number := range slices.Sorted(maps.Keys(stat.CPU)) {
		c := stat.CPU[number]
		id := strconv.FormatInt(number, 10)
		for _, m := range modes(c) {
			s.Add(f.cpu, m.seconds, id, m.name)
		}
		s.Add(f.cpuGuest, c.Guest, id, "user")
		s.Add(f.cpuGuest, c.GuestNice, id, "nice")
	}
	s.Add(f.contextSwitches, float64(stat.ContextSwitches))
	s.Add(f.forks, float64(stat.ProcessCreated))
	s.Add(f.interrupts, float64(stat.IRQTotal))
	s.Add(f.running, float64(stat.ProcessesRunning))
	s.Add(f.blocked, float64(stat.ProcessesBlocked))
	s.Add(f.boot, float64(stat.BootTime))
	return nil
}

type mode struct {
	name    string
	seconds float64
}

func modes(c procfs.CPUStat) []mode {
	return []mode{
		{"user", c.User}, {"nice", c.Nice}, {"system", c.System}, {"idle", c.Idle},
		{"iowait", c.Iowait}, {"irq", c.IRQ}, {"softirq", c.SoftIRQ}, {"steal", c.Steal},
	}
}

// load reads /proc/loadavg.
func (h *host) load(_ context.Context, s *collect.Batch) error {
	l, err := h.proc.LoadAvg()
	if err != nil {
		return err
	}
	s.Add(h.families.load1, l.Load1)
	s.Add(h.families.load5, l.Load5)
	s.Add(h.families.load15, l.Load15)
	return nil
}

// schedule reads /proc/schedstat.
func (h *host) schedule(_ context.Context, s *collect.Batch) error {
	stats, err := h.proc.Schedstat()
	if err != nil {
		return err
	}
	for _, c := range stats.CPUs {
		s.Add(h.families.schedRunning, float64(c.RunningNanoseconds)/1e9, c.CPUNum)
		s.Add(h.families.schedWaiting, float64(c.WaitingNanoseconds)/1e9, c.CPUNum)
		s.Add(h.families.schedTimeslice, float64(c.RunTimeslices), c.CPUNum)
	}
	return nil
}

// pressure reads /proc/pressure; the kernel may have none of it, or only some.
func (h *host) pressure(_ context.Context, s *collect.Batch) error {
	f := h.families
	for _, resource := range []string{"cpu", "io", "memory", "irq"} {
		p, err := h.proc.PSIStatsForResource(resource)
		if absent(err) {
			continue
		}
		if err != nil {
			return err
		}
		some, full := micros(p.Some), micros(p.Full)
		switch {
		case resource == "cpu" && p.Some != nil:
			s.Add(f.cpuWaiting, some)
		case resource == "irq" && p.Full != nil:
			s.Add(f.irqStalled, full)
		case resource == "io" && p.Some != nil && p.Full != nil:
			s.Add(f.ioWaiting, some)
			s.Add(f.ioStalled, full)
		case resource == "memory" && p.Some != nil && p.Full != nil:
			s.Add(f.memoryWaiting, some)
			s.Add(f.memoryStalled, full)
		}
	}
	return nil
}

func micros(l *procfs.PSILine) float64 {
	if l == nil {
		return 0
	}
	return float64(l.Total) / 1e6
}
