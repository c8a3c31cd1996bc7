package host

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// netstatFields are the counters of the network stack that are published.
func netstatFields() map[string][]string {
	return map[string][]string{
		"Icmp":    {"InMsgs", "OutMsgs", "InErrors"},
		"Icmp6":   {"InMsgs", "OutMsgs", "InErrors"},
		"Ip":      {"Forwarding"},
		"Ip6":     {"InOctets", "OutOctets"},
		"IpExt":   {"InOctets", "OutOctets"},
		"Tcp":     {"ActiveOpens", "CurrEstab", "InErrs", "InSegs", "OutRsts", "OutSegs", "PassiveOpens", "RetransSegs"},
		"TcpExt":  {"ListenDrops", "ListenOverflows", "SyncookiesFailed", "SyncookiesRecv", "SyncookiesSent", "TCPOFOQueue", "TCPRcvQDrop", "TCPSynRetrans", "TCPTimeouts"},
		"Udp":     {"InDatagrams", "InErrors", "NoPorts", "OutDatagrams", "RcvbufErrors", "SndbufErrors"},
		"Udp6":    {"InDatagrams", "InErrors", "NoPorts", "OutDatagrams", "RcvbufErrors", "SndbufErrors"},
		"UdpLite": {"InErrors"},
	}
}

// netstat reads /proc/net/netstat, snmp and snmp6 of process 1, or ours.
func (h *host) netstat(_ context.Context, s *collect.Batch) error {
	wanted := netstatFields()
	for _, file := range []string{"netstat", "snmp", "snmp6"} {
		text, err := h.readNet(file)
		if os.IsNotExist(err) {
			continue // no IPv6, for one
		}
		if err != nil {
			return err
		}
		parse := parsePairs
		if file == "snmp6" {
			parse = parseSNMP6
		}
		parse(text, func(protocol, field string, value float64) {
			if slices.Contains(wanted[protocol], field) {
				name := "node_netstat_" + protocol + "_" + field
				s.Add(h.name(name, "Field "+field+" of "+protocol+" in the network stack.", collect.Names.Untyped), value)
			}
		})
	}
	return nil
}

func (h *host) readNet(file string) (string, error) {
	if text, err := h.read("1/net/" + file); err == nil {
		return text, nil
	}
	return h.read("net/" + file)
}

// parsePairs reads lines in pairs, the first with names and the second with
// values: "Tcp: A B" and "Tcp: 1 2".
func parsePairs(text string, found func(protocol, field string, value float64)) {
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case names == nil || names[0] != fields[0]:
			names = fields
		default:
			for i, f := range fields[1:] {
				if v, err := strconv.ParseFloat(f, 64); err == nil && i+1 < len(names) {
					found(strings.TrimSuffix(fields[0], ":"), names[i+1], v)
				}
			}
			names = nil
		}
	}
}

// parseSNMP6 reads lines like "Ip6InOctets 5".
func parseSNMP6(text string, found func(protocol, field string, value float64)) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		protocol, field, ok := strings.Cut(fields[0], "6")
		v, err := strconv.ParseFloat(fields[1], 64)
		if ok && err == nil {
			found(protocol+"6", field, v)
		}
	}
}

// sockets reads /proc/net/sockstat.
func (h *host) sockets(_ context.Context, s *collect.Batch) error {
	for _, file := range []string{"sockstat", "sockstat6"} {
		text, err := h.readNet(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		parseSockstat(text, func(name string, value float64) {
			s.Add(h.name("node_sockstat_"+name, "Field "+name+" of the kernel's sockets.", collect.Names.Gauge), value)
		})
	}
	return nil
}

// parseSockstat reads lines like "TCP: inuse 5 mem 2". Memory is in pages and
// is given in bytes too.
func parseSockstat(text string, found func(name string, value float64)) {
	for line := range strings.Lines(text) {
		protocol, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		for i := 0; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i+1], 64)
			if err != nil {
				continue
			}
			found(protocol+"_"+fields[i], v)
			if fields[i] == "mem" {
				found(protocol+"_mem_bytes", v*float64(os.Getpagesize()))
			}
		}
	}
}

// softnet reads /proc/net/softnet_stat.
func (h *host) softnet(_ context.Context, s *collect.Batch) error {
	stats, err := h.proc.NetSoftnetStat()
	if err != nil {
		return err
	}
	for _, c := range stats {
		id := strconv.FormatUint(uint64(c.Index), 10)
		s.Add(h.families.softProcessed, float64(c.Processed), id)
		s.Add(h.families.softDropped, float64(c.Dropped), id)
		s.Add(h.families.softSqueezed, float64(c.TimeSqueezed), id)
	}
	return nil
}
