package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/MNS-Vic/upkeep/internal/servers"
)

// needed lists the programs that the demo starts.
func needed() []string {
	return []string{"prometheus", "promtool", "prometheus-alertmanager", "postgres", "initdb", "redis-server", "git"}
}

// missing returns the Debian packages of the programs that are not here.
func missing() []string {
	var packages []string
	for _, program := range needed() {
		if _, err := servers.Find(program); err == nil {
			continue
		}
		if pkg := servers.Package(program); !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	return packages
}

// install makes sure that every server is here. It says what it will do and
// asks first, unless yes is set or nobody is there to answer; without root or
// apt-get it says what to install and does nothing.
func install(ctx context.Context, yes bool, in *os.File, out io.Writer) error {
	packages := missing()
	if len(packages) == 0 {
		return nil
	}
	command := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("these servers are not installed: %s; there is no apt-get here, install them by your own means and run the demo again", strings.Join(packages, ", "))
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("these servers are not installed: %s; run this, then the demo again: sudo %s", strings.Join(packages, ", "), command)
	}
	fmt.Fprintf(out, "The demo needs servers that are not installed. It will run:\n   apt-get update\n   %s\n", command)
	if !yes && isTerminal(in) {
		fmt.Fprint(out, "Go on? [y/N] ")
		answer, err := bufio.NewReader(in).ReadString('\n')
		if err != nil || !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
			return fmt.Errorf("nothing was installed; to install by hand: %s", command)
		}
	}
	for _, args := range [][]string{
		{"update", "-q"},
		append([]string{"install", "-qy", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("running apt-get %s: %w\n%s", args[0], err, text)
		}
	}
	if left := missing(); len(left) > 0 {
		return fmt.Errorf("apt-get ended well, but these are still missing: %s", strings.Join(left, ", "))
	}
	return nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
