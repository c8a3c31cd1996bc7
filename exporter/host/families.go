package host

import "github.com/MNS-Vic/upkeep/exporter/collect"

// families are all names known in advance; those that the kernel gives
// (meminfo, netstat, sockstat, vmstat) are made as they come.
type families struct {
	partSuccess, partDuration collect.Family

	cpu, cpuGuest                              collect.Family
	load1, load5, load15                       collect.Family
	contextSwitches, forks, interrupts         collect.Family
	running, blocked, boot                     collect.Family
	size, free, avail, files, filesFree        collect.Family
	readOnly, deviceError                      collect.Family
	disk                                       []collect.Family // in the order of diskValues
	diskInfo                                   collect.Family
	network                                    []collect.Family // in the order of networkValues
	up, carrier, mtu, speed, networkInfo       collect.Family
	softProcessed, softDropped, softSqueezed   collect.Family
	conntrack, conntrackLimit                  collect.Family
	filesAllocated, filesMaximum               collect.Family
	entropyAvailable, entropyPool              collect.Family
	cpuWaiting, ioWaiting, ioStalled           collect.Family
	memoryWaiting, memoryStalled, irqStalled   collect.Family
	schedRunning, schedWaiting, schedTimeslice collect.Family
	uname, time                                collect.Family
}

func newFamilies(n collect.Names) *families {
	fsLabels := []string{"device", "device_error", "fstype", "mountpoint"}
	f := &families{
		partSuccess:  n.Gauge("node_scrape_collector_success", "Whether a part of the host was read.", "collector"),
		partDuration: n.Gauge("node_scrape_collector_duration_seconds", "How long reading a part of the host took.", "collector"),

		cpu:             n.Counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", "cpu", "mode"),
		cpuGuest:        n.Counter("node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests, each mode.", "cpu", "mode"),
		load1:           n.Gauge("node_load1", "Load average of 1 minute."),
		load5:           n.Gauge("node_load5", "Load average of 5 minutes."),
		load15:          n.Gauge("node_load15", "Load average of 15 minutes."),
		contextSwitches: n.Counter("node_context_switches_total", "Context switches."),
		forks:           n.Counter("node_forks_total", "Processes made."),
		interrupts:      n.Counter("node_intr_total", "Interrupts served."),
		running:         n.Gauge("node_procs_running", "Processes that can run."),
		blocked:         n.Gauge("node_procs_blocked", "Processes that wait for I/O."),
		boot:            n.Gauge("node_boot_time_seconds", "When the machine was started, in Unix time."),

		size:        n.Gauge("node_filesystem_size_bytes", "Size of a file system.", fsLabels...),
		free:        n.Gauge("node_filesystem_free_bytes", "Free space of a file system.", fsLabels...),
		avail:       n.Gauge("node_filesystem_avail_bytes", "Space of a file system that users other than root can have.", fsLabels...),
		files:       n.Gauge("node_filesystem_files", "Inodes of a file system.", fsLabels...),
		filesFree:   n.Gauge("node_filesystem_files_free", "Free inodes of a file system.", fsLabels...),
		readOnly:    n.Gauge("node_filesystem_readonly", "Whether a file system is mounted read-only.", fsLabels...),
		deviceError: n.Gauge("node_filesystem_device_error", "Whether a file system could not be asked.", fsLabels...),

		diskInfo: n.Gauge("node_disk_info", "Numbers of a block device.", "device", "major", "minor"),

		up:          n.Gauge("node_network_up", "Whether the state of an interface is up.", "device"),
		carrier:     n.Gauge("node_network_carrier", "Whether an interface has a link.", "device"),
		mtu:         n.Gauge("node_network_mtu_bytes", "Largest packet of an interface.", "device"),
		speed:       n.Gauge("node_network_speed_bytes", "Speed of an interface in bytes a second.", "device"),
		networkInfo: n.Gauge("node_network_info", "What an interface is.", "address", "adminstate", "broadcast", "device", "duplex", "ifalias", "operstate"),

		softProcessed: n.Counter("node_softnet_processed_total", "Packets processed.", "cpu"),
		softDropped:   n.Counter("node_softnet_dropped_total", "Packets dropped.", "cpu"),
		softSqueezed:  n.Counter("node_softnet_times_squeezed_total", "Times that processing packets ran out of its quota.", "cpu"),

		conntrack:        n.Gauge("node_nf_conntrack_entries", "Connections that are tracked."),
		conntrackLimit:   n.Gauge("node_nf_conntrack_entries_limit", "Most connections that can be tracked."),
		filesAllocated:   n.Gauge("node_filefd_allocated", "File handles in use."),
		filesMaximum:     n.Gauge("node_filefd_maximum", "Most file handles that can be used."),
		entropyAvailable: n.Gauge("node_entropy_available_bits", "Bits of entropy available."),
		entropyPool:      n.Gauge("node_entropy_pool_size_bits", "Bits of entropy the pool can hold."),

		cpuWaiting:    n.Counter("node_pressure_cpu_waiting_seconds_total", "Seconds in which some task waited for a CPU."),
		ioWaiting:     n.Counter("node_pressure_io_waiting_seconds_total", "Seconds in which some task waited for I/O."),
		ioStalled:     n.Counter("node_pressure_io_stalled_seconds_total", "Seconds in which all tasks waited for I/O."),
		memoryWaiting: n.Counter("node_pressure_memory_waiting_seconds_total", "Seconds in which some task waited for memory."),
		memoryStalled: n.Counter("node_pressure_memory_stalled_seconds_total", "Seconds in which all tasks waited for memory."),
		irqStalled:    n.Counter("node_pressure_irq_stalled_seconds_total", "Seconds in which all tasks waited for interrupts."),

		schedRunning:   n.Counter("node_schedstat_running_seconds_total", "Seconds in which a CPU ran a process.", "cpu"),
		schedWaiting:   n.Counter("node_schedstat_waiting_seconds_total", "Seconds that processes waited for a CPU.", "cpu"),
		schedTimeslice: n.Counter("node_schedstat_timeslices_total", "Time slices that a CPU has run.", "cpu"),

		uname: n.Gauge("node_uname_info", "The kernel, as uname tells.", "sysname", "release", "version", "machine", "nodename", "domainname"),
		time:  n.Gauge("node_time_seconds", "The machine's clock, in Unix time."),
	}
	for _, v := range diskValues() {
		if v.gauge {
			f.disk = append(f.disk, n.Gauge("node_disk_"+v.name, v.help, "device"))
		} else {
			f.disk = append(f.disk, n.Counter("node_disk_"+v.name, v.help, "device"))
		}
	}
	for _, v := range networkValues() {
		f.network = append(f.network, n.Counter("node_network_"+v.name+"_total", v.help, "device"))
	}
	return f
}
