package action

import (
	"context"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/dbus"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Units is what is needed of a service manager.
type Units interface {
	// Names returns how the unit is loaded ("loaded", "not-found", ...) and all
	// names it goes by, its own first.
	Names(ctx context.Context, unit string) (loaded string, names []string, err error)
	ResetFailed(ctx context.Context, unit string) error
	// Restart waits for the job and returns its result, "done" when it worked.
	Restart(ctx context.Context, unit string) (result string, err error)
	Close()
}

// DialUnits connects to a service manager.
type DialUnits func(ctx context.Context) (Units, error)

// unitName is what systemd allows in the name of a service.
var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]{1,200}\.service$`)

// systemdRestart restarts the unit that the target names, over D-Bus.
// Arguments: reset_failed ("true" clears the start limit first).
type systemdRestart struct{ dial DialUnits }

func (systemdRestart) Name() string { return "systemd.restart" }

func (a systemdRestart) Precheck(ctx context.Context, r incident.Request) error {
	if err := known(r.With, "reset_failed"); err != nil {
		return err
	}
	if v := r.With.Get("reset_failed"); v != "" && v != "true" && v != "false" {
		return fmt.Errorf("reset_failed %q is not true or false", v)
	}
	unit, err := allowed(r.Target)
	if err != nil {
		return err
	}
	units, err := a.dial(ctx)
	if err != nil {
		return fmt.Errorf("connecting to systemd: %w", err)
	}
	defer units.Close()
	return examine(ctx, units, unit)
}

func (a systemdRestart) Do(ctx context.Context, r incident.Request) (string, error) {
	unit, err := allowed(r.Target)
	if err != nil {
		return "", err
	}
	units, err := a.dial(ctx)
	if err != nil {
		return "", fmt.Errorf("connecting to systemd: %w", err)
	}
	defer units.Close()
	if err := examine(ctx, units, unit); err != nil {
		return "", err
	}
	if r.With.Get("reset_failed") == "true" {
		if err := units.ResetFailed(ctx, unit); err != nil {
			return "", fmt.Errorf("clearing the failures of %s: %w", unit, err)
		}
	}
	result, err := units.Restart(ctx, unit)
	if err != nil {
		return "", fmt.Errorf("restarting %s: %w", unit, err)
	}
	if result != "done" {
		return "", fmt.Errorf("restarting %s: systemd's job ended as %q", unit, result)
	}
	return "restarted " + unit, nil
}

// allowed returns the unit's full name, or why it may never be restarted.
func allowed(t incident.Target) (string, error) {
	unit, err := param(t, "unit", "unit")
	if err != nil {
		return "", err
	}
	if path.Ext(unit) != ".service" {
		unit += ".service"
	}
	if !unitName.MatchString(unit) {
		return "", fmt.Errorf("unit %q is not the name of a service", unit)
	}
	return unit, forbidden(unit)
}

// forbidden refuses what would lock people out, take every container down, or
// end this program in the middle of its work.
func forbidden(unit string) error {
	base := strings.TrimSuffix(unit, ".service")
	template, _, _ := strings.Cut(base, "@")
	switch template {
	case "init", "ssh", "sshd", "docker", "containerd", "podman", "dbus", "dbus-broker", "getty", "user",
		"NetworkManager", "networking", "network", "upkeep-receiver":
		return fmt.Errorf("unit %q is never restarted by a program", unit)
	}
	if strings.HasPrefix(template, "systemd-") {
		return fmt.Errorf("unit %q is a part of systemd and never restarted by a program", unit)
	}
	if cgroup, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(cgroup)) {
			if slices.Contains(strings.Split(strings.TrimSpace(line), "/"), unit) {
				return fmt.Errorf("unit %q is the one we run in", unit)
			}
		}
	}
	return nil
}

// examine looks at the unit itself: it must exist, and may not be an alias of
// one that is forbidden.
func examine(ctx context.Context, units Units, unit string) error {
	loaded, names, err := units.Names(ctx, unit)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", unit, err)
	}
	if loaded != "loaded" {
		return fmt.Errorf("unit %q is %s", unit, loaded)
	}
	for _, name := range names {
		if err := forbidden(name); err != nil {
			return fmt.Errorf("unit %q goes by another name: %w", unit, err)
		}
	}
	return nil
}

// systemd is the service manager of the machine.
type systemd struct{ conn *dbus.Conn }

func dialSystemd(ctx context.Context) (Units, error) {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return nil, err
	}
	return systemd{conn}, nil
}

func (s systemd) Names(ctx context.Context, unit string) (string, []string, error) {
	properties, err := s.conn.GetUnitPropertiesContext(ctx, unit)
	if err != nil {
		return "", nil, err
	}
	loaded, _ := properties["LoadState"].(string)
	id, _ := properties["Id"].(string)
	names, _ := properties["Names"].([]string)
	return loaded, append([]string{id}, names...), nil
}

func (s systemd) ResetFailed(ctx context.Context, unit string) error {
	return s.conn.ResetFailedUnitContext(ctx, unit)
}

func (s systemd) Restart(ctx context.Context, unit string) (string, error) {
	done := make(chan string, 1) // the library sends even when nobody listens any more
	if _, err := s.conn.RestartUnitContext(ctx, unit, "replace", done); err != nil {
		return "", err
	}
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (s systemd) Close() { s.conn.Close() }

var _ Action = systemdRestart{}
