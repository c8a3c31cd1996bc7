package host

import (
	"context"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

var update = flag.Bool("update", false, "write testdata/metrics.golden again")

// fixture is the host in testdata, whose mounts all answer the same.
func fixture(t *testing.T) *host {
	t.Helper()
	h, err := newHost(Options{ProcFS: "testdata/proc", SysFS: "testdata/sys", Now: func() time.Time { return time.Unix(1700000100, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	h.mounts.ask = func(_ string, s *unix.Statfs_t) error {
		*s = unix.Statfs_t{Bsize: 4096, Blocks: 1000, Bfree: 300, Bavail: 200, Files: 50, Ffree: 40}
		return nil
	}
	return h
}

func TestTheWholeHostAsText(t *testing.T) {
	found, err := collect.Once(t.Context(), fixture(t))
	if err != nil {
		t.Fatal(err)
	}
	got := found.Text()
	// What depends on this machine and on the moment.
	got = regexp.MustCompile(`(?m)^(node_scrape_collector_duration_seconds\{.*\}|node_uname_info\{).*$`).ReplaceAllString(got, "$1 VARIES")
	if *update {
		if err := os.WriteFile("testdata/metrics.golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/metrics.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update if this is meant:\n%s", diff)
	}
}

func TestOneBrokenFileDoesNotHideTheOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/proc/loadavg", []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := newHost(Options{ProcFS: dir + "/proc", SysFS: dir + "/sys"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := collect.Once(t.Context(), h)
	if err == nil || collect.CauseOf(err) != collect.Read || !strings.Contains(err.Error(), "reading loadavg") {
		t.Errorf("error %v", err)
	}
	text := found.Text()
	for _, want := range []string{`node_scrape_collector_success{collector="loadavg"} 0`, `node_scrape_collector_success{collector="cpu"} 1`, "node_memory_MemTotal_bytes 8.192e+09"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestAHangingMountCostsOneGoroutineAndNothingElse(t *testing.T) {
	h := fixture(t)
	h.mounts.patience = 10 * time.Millisecond
	release, asked := make(chan struct{}), make(chan string, 10)
	answer := h.mounts.ask
	h.mounts.ask = func(path string, s *unix.Statfs_t) error {
		if path == "/with blank" {
			asked <- path
			<-release
		}
		return answer(path, s)
	}
	for range 3 {
		found, err := collect.Once(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		text := found.Text()
		for _, want := range []string{
			`node_filesystem_device_error{device="/dev/sdb1",device_error="mountpoint timeout",fstype="xfs",mountpoint="/with blank"} 1`,
			`node_filesystem_size_bytes{device="/dev/root",device_error="",fstype="ext4",mountpoint="/"} 4.096e+06`,
		} {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("%q is missing", want)
			}
		}
	}
	if n := len(asked); n != 1 {
		t.Errorf("the hanging mount was asked %d times", n)
	}
	close(release)
	deadline := time.Now().Add(10 * time.Second)
	for h.mounts.isStuck("/with blank") {
		if time.Now().After(deadline) {
			t.Fatal("the mount is stuck for ever")
		}
		time.Sleep(time.Millisecond)
	}
	found, err := collect.Once(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if text := found.Text(); strings.Contains(text, "timeout") {
		t.Error("the mount answers and is still reported")
	}
}

func TestThisMachine(t *testing.T) {
	source, err := Source(Options{Interval: time.Second, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	found, err := collect.Once(ctx, source.Collector)
	if err != nil {
		t.Fatal(err)
	}
	text := found.Text()
	for _, name := range []string{"node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_filesystem_avail_bytes", "node_network_up", "node_uname_info"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}
