package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// networkValue is one counter of /proc/net/dev.
type networkValue struct {
	name  string
	help  string
	value func(procfs.NetDevLine) uint64
}

func networkValues() []networkValue {
	type l = procfs.NetDevLine
	return []networkValue{
		{"receive_bytes", "Bytes received.", func(n l) uint64 { return n.RxBytes }},
		{"receive_packets", "Packets received.", func(n l) uint64 { return n.RxPackets }},
		{"receive_errs", "Errors on receiving.", func(n l) uint64 { return n.RxErrors }},
		{"receive_drop", "Packets dropped on receiving.", func(n l) uint64 { return n.RxDropped }},
		{"receive_fifo", "Overruns on receiving.", func(n l) uint64 { return n.RxFIFO }},
		{"receive_frame", "Framing errors on receiving.", func(n l) uint64 { return n.RxFrame }},
		{"receive_compressed", "Compressed packets received.", func(n l) uint64 { return n.RxCompressed }},
		{"receive_multicast", "Multicast packets received.", func(n l) uint64 { return n.RxMulticast }},
		{"transmit_bytes", "Bytes sent.", func(n l) uint64 { return n.TxBytes }},
		{"transmit_packets", "Packets sent.", func(n l) uint64 { return n.TxPackets }},
		{"transmit_errs", "Errors on sending.", func(n l) uint64 { return n.TxErrors }},
		{"transmit_drop", "Packets dropped on sending.", func(n l) uint64 { return n.TxDropped }},
		{"transmit_fifo", "Overruns on sending.", func(n l) uint64 { return n.TxFIFO }},
		{"transmit_colls", "Collisions on sending.", func(n l) uint64 { return n.TxCollisions }},
		{"transmit_carrier", "Losses of the carrier on sending.", func(n l) uint64 { return n.TxCarrier }},
		{"transmit_compressed", "Compressed packets sent.", func(n l) uint64 { return n.TxCompressed }},
	}
}

// network reads /proc/net/dev of process 1, which is the host's own even when
// we run in a container; of ourselves when that may not be read.
func (h *host) network(_ context.Context, s *collect.Batch) error {
	devices, err := h.devices()
	if err != nil {
		return err
	}
	for i, v := range networkValues() {
		for name, line := range devices {
			s.Add(h.families.network[i], float64(v.value(line)), name)
		}
	}
	return nil
}

func (h *host) devices() (procfs.NetDev, error) {
	if first, err := h.proc.Proc(1); err == nil {
		if devices, err := first.NetDev(); err == nil {
			return devices, nil
		}
	}
	return h.proc.NetDev()
}

// interfaces reads /sys/class/net: few files a device, since opening them is
// what makes this area dear.
func (h *host) interfaces(_ context.Context, s *collect.Batch) error {
	dir := filepath.Join(h.options.SysFS, "class/net")
	devices, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing interfaces: %w", err)
	}
	f := h.families
	for _, d := range devices {
		name := d.Name()
		if _, err := os.Stat(filepath.Join(dir, name, "operstate")); err != nil {
			continue // bonding_masters is a file
		}
		get := func(file string) string {
			data, _ := os.ReadFile(filepath.Join(dir, name, file)) // some cannot be read while the link is down
			return strings.TrimSpace(string(data))
		}
		state := get("operstate")
		s.Add(f.up, truth(state == "up"), name)
		if v, err := strconv.ParseFloat(get("carrier"), 64); err == nil {
			s.Add(f.carrier, v, name)
		}
		if v, err := strconv.ParseFloat(get("mtu"), 64); err == nil {
			s.Add(f.mtu, v, name)
		}
		if v, err := strconv.ParseFloat(get("speed"), 64); err == nil && v > 0 { // Mbit/s; -1 for unknown
			s.Add(f.speed, v*1e6/8, name)
		}
		s.Add(f.networkInfo, 1, get("address"), adminState(get("flags")), get("broadcast"), name, get("duplex"), get("ifalias"), state)
	}
	return nil
}

// adminState tells what people have set, from the interface's flags.
func adminState(flags string) string {
	const up = 1 // IFF_UP
	v, err := strconv.ParseInt(flags, 0, 64)
	switch {
	case err != nil:
		return "unknown"
	case v&up != 0:
		return "up"
	default:
		return "down"
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
