package host

import (
	"context"
	"regexp"
	"strconv"

	"github.com/prometheus/procfs/blockdevice"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// sectorBytes is the unit of /proc/diskstats, whatever the device's own is.
const sectorBytes = 512

// ignoredDevices are partitions and memory devices: the disks below them are
// counted, and counting both would count twice.
const ignoredDevices = `^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p|mmcblk\d+p)\d+$`

// diskValue is one number of /proc/diskstats.
type diskValue struct {
	name  string
	help  string
	gauge bool
	since int // fields a kernel's line must have for it to be there
	value func(blockdevice.Diskstats) float64
}

func diskValues() []diskValue {
	type d = blockdevice.Diskstats
	seconds := func(millis uint64) float64 { return float64(millis) / 1000 }
	return []diskValue{
		{"reads_completed_total", "Reads completed.", false, 14, func(s d) float64 { return float64(s.ReadIOs) }},
		{"reads_merged_total", "Reads merged.", false, 14, func(s d) float64 { return float64(s.ReadMerges) }},
		{"read_bytes_total", "Bytes read.", false, 14, func(s d) float64 { return float64(s.ReadSectors) * sectorBytes }},
		{"read_time_seconds_total", "Seconds spent by all reads.", false, 14, func(s d) float64 { return seconds(s.ReadTicks) }},
		{"writes_completed_total", "Writes completed.", false, 14, func(s d) float64 { return float64(s.WriteIOs) }},
		{"writes_merged_total", "Writes merged.", false, 14, func(s d) float64 { return float64(s.WriteMerges) }},
		{"written_bytes_total", "Bytes written.", false, 14, func(s d) float64 { return float64(s.WriteSectors) * sectorBytes }},
		{"write_time_seconds_total", "Seconds spent by all writes.", false, 14, func(s d) float64 { return seconds(s.WriteTicks) }},
		{"io_now", "I/O under way.", true, 14, func(s d) float64 { return float64(s.IOsInProgress) }},
		{"io_time_seconds_total", "Seconds spent doing I/O.", false, 14, func(s d) float64 { return seconds(s.IOsTotalTicks) }},
		{"io_time_weighted_seconds_total", "Seconds spent doing I/O, times how many were under way.", false, 14, func(s d) float64 { return seconds(s.WeightedIOTicks) }},
		{"discards_completed_total", "Discards completed.", false, 18, func(s d) float64 { return float64(s.DiscardIOs) }},
		{"discards_merged_total", "Discards merged.", false, 18, func(s d) float64 { return float64(s.DiscardMerges) }},
		{"discarded_sectors_total", "Sectors discarded.", false, 18, func(s d) float64 { return float64(s.DiscardSectors) }},
		{"discard_time_seconds_total", "Seconds spent by all discards.", false, 18, func(s d) float64 { return seconds(s.DiscardTicks) }},
		{"flush_requests_total", "Flushes completed.", false, 20, func(s d) float64 { return float64(s.FlushRequestsCompleted) }},
		{"flush_requests_time_seconds_total", "Seconds spent by all flushes.", false, 20, func(s d) float64 { return seconds(s.TimeSpentFlushing) }},
	}
}

// disks reads /proc/diskstats.
func (h *host) disks(_ context.Context, s *collect.Batch) error {
	stats, err := h.block.ProcDiskstats()
	if err != nil {
		return err
	}
	values := diskValues()
	ignored := regexp.MustCompile(ignoredDevices)
	for _, d := range stats {
		if ignored.MatchString(d.DeviceName) {
			continue
		}
		s.Add(h.families.diskInfo, 1, d.DeviceName, strconv.Itoa(int(d.MajorNumber)), strconv.Itoa(int(d.MinorNumber)))
		for i, v := range values {
			if d.IoStatsCount >= v.since {
				s.Add(h.families.disk[i], v.value(d), d.DeviceName)
			}
		}
	}
	return nil
}
