package host

import (
	"context"
	"strconv"

	"github.com/prometheus/procfs"
)

// cpu reads /proc/stat.
func (h *host) cpu(_ context.Context, s *sample) error {
	stat, err := h.proc.Stat()
	if err != nil {
		return err
	}
	f := h.families
	for number, c := range stat.CPU {
		id := strconv.FormatInt(number, 10)
		for _, m := range modes(c) {
			s.add(f.cpu, m.seconds, id, m.name)
		}
		s.add(f.cpuGuest, c.Guest, id, "user")
		s.add(f.cpuGuest, c.GuestNice, id, "nice")
	}
	s.add(f.contextSwitches, float64(stat.ContextSwitches))
	s.add(f.forks, float64(stat.ProcessCreated))
	s.add(f.interrupts, float64(stat.IRQTotal))
	s.add(f.running, float64(stat.ProcessesRunning))
	s.add(f.blocked, float64(stat.ProcessesBlocked))
	s.add(f.boot, float64(stat.BootTime))
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
func (h *host) load(_ context.Context, s *sample) error {
	l, err := h.proc.LoadAvg()
	if err != nil {
		return err
	}
	s.add(h.families.load1, l.Load1)
	s.add(h.families.load5, l.Load5)
	s.add(h.families.load15, l.Load15)
	return nil
}

// schedule reads /proc/schedstat.
func (h *host) schedule(_ context.Context, s *sample) error {
	stats, err := h.proc.Schedstat()
	if err != nil {
		return err
	}
	for _, c := range stats.CPUs {
		s.add(h.families.schedRunning, float64(c.RunningNanoseconds)/1e9, c.CPUNum)
		s.add(h.families.schedWaiting, float64(c.WaitingNanoseconds)/1e9, c.CPUNum)
		s.add(h.families.schedTimeslice, float64(c.RunTimeslices), c.CPUNum)
	}
	return nil
}

// pressure reads /proc/pressure; the kernel may have none of it, or only some.
func (h *host) pressure(_ context.Context, s *sample) error {
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
			s.add(f.cpuWaiting, some)
		case resource == "irq" && p.Full != nil:
			s.add(f.irqStalled, full)
		case resource == "io" && p.Some != nil && p.Full != nil:
			s.add(f.ioWaiting, some)
			s.add(f.ioStalled, full)
		case resource == "memory" && p.Some != nil && p.Full != nil:
			s.add(f.memoryWaiting, some)
			s.add(f.memoryStalled, full)
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
