package host

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// ignoredMounts and ignoredTypes are views of the kernel and of containers,
// not space that can run out by itself.
const ignoredMounts = `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`

func ignoredTypes() []string {
	return []string{
		"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "erofs", "fusectl",
		"hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs", "pstore", "rpc_pipefs", "securityfs",
		"selinuxfs", "squashfs", "sysfs", "tracefs",
	}
}

// mount is one line of /proc/*/mounts.
type mount struct {
	device, point, fstype string
	readOnly              bool
}

// filesystems asks every mount for its space.
func (h *host) filesystems(ctx context.Context, s *collect.Batch) error {
	text, err := h.read("1/mounts")
	if err != nil { // needs rights that we may not have
		if text, err = h.read("self/mounts"); err != nil {
			return fmt.Errorf("listing mounts: %w", err)
		}
	}
	mounts := parseMounts(text, h.options.RootFS)
	f := h.families
	for _, m := range mounts {
		stat, failure := h.mounts.statfs(ctx, filepath.Join(h.options.RootFS, m.point))
		labels := []string{m.device, failure, m.fstype, m.point}
		s.Add(f.deviceError, truth(failure != ""), labels...)
		s.Add(f.readOnly, truth(m.readOnly), labels...)
		if failure != "" {
			continue
		}
		unit := float64(stat.Bsize)
		s.Add(f.size, float64(stat.Blocks)*unit, labels...)
		s.Add(f.free, float64(stat.Bfree)*unit, labels...)
		s.Add(f.avail, float64(stat.Bavail)*unit, labels...)
		s.Add(f.files, float64(stat.Files), labels...)
		s.Add(f.filesFree, float64(stat.Ffree), labels...)
	}
	return nil
}

// parseMounts keeps the mounts that are of interest, each mount point once:
// the newest covers the others. With the host's root mounted at root, points
// are named as the host names them.
func parseMounts(text, root string) []mount {
	ignored, types := regexp.MustCompile(ignoredMounts), ignoredTypes()
	var out []mount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		point := unescape(fields[1])
		if root != "/" && (point == root || strings.HasPrefix(point, root+"/")) {
			point = "/" + strings.TrimPrefix(strings.TrimPrefix(point, root), "/")
		}
		m := mount{device: unescape(fields[0]), point: point, fstype: fields[2], readOnly: slices.Contains(strings.Split(fields[3], ","), "ro")}
		// A container's own root is an overlay, and can run out.
		if ignored.MatchString(point) || (slices.Contains(types, m.fstype) && (m.fstype != "overlay" || point != "/")) {
			continue
		}
		out = slices.DeleteFunc(out, func(o mount) bool { return o.point == point })
		out = append(out, m)
	}
	return out
}

// unescape undoes what the kernel does to blanks in names.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// asker is the kernel's statfs; tests make one that hangs.
type asker func(path string, stat *unix.Statfs_t) error
