package action

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// fakeUnits is a service manager: tests run where none does, and none of a
// real machine may be restarted by them.
type fakeUnits struct {
	loaded string
	names  []string
	result string
	calls  []string
	closed int
}

func (f *fakeUnits) Names(context.Context, string) (string, []string, error) {
	return f.loaded, f.names, nil
}

func (f *fakeUnits) ResetFailed(_ context.Context, unit string) error {
	f.calls = append(f.calls, "reset "+unit)
	return nil
}

func (f *fakeUnits) Restart(_ context.Context, unit string) (string, error) {
	f.calls = append(f.calls, "restart "+unit)
	return f.result, nil
}

func (f *fakeUnits) Close() { f.closed++ }

func unitTarget(unit string) incident.Target {
	return incident.Target{Name: "api", Kind: "unit", Params: map[string]string{"unit": unit}}
}

func withUnits(f *fakeUnits) Action {
	return All(Options{Units: func(context.Context) (Units, error) { return f, nil }})["systemd.restart"]
}

func TestSystemdRestart(t *testing.T) {
	f := &fakeUnits{loaded: "loaded", names: []string{"api.service"}, result: "done"}
	a := withUnits(f)
	r := incident.Request{Target: unitTarget("api"), With: incident.Params{"reset_failed": {"true"}}}
	if err := a.Precheck(t.Context(), r); err != nil || len(f.calls) != 0 {
		t.Fatalf("precheck: %v, called %v", err, f.calls)
	}
	if out, err := a.Do(t.Context(), r); err != nil || out != "restarted api.service" {
		t.Errorf("got %q, %v", out, err)
	}
	if !slices.Equal(f.calls, []string{"reset api.service", "restart api.service"}) || f.closed != 2 {
		t.Errorf("called %v, closed %d times", f.calls, f.closed)
	}
	f.result = "dependency"
	if _, err := a.Do(t.Context(), r); err == nil || !strings.Contains(err.Error(), `"dependency"`) {
		t.Errorf("a job that did not work: %v", err)
	}
}

func TestSystemdRestartRefuses(t *testing.T) {
	for unit, want := range map[string]string{
		"ssh":                     "never restarted",
		"sshd.service":            "never restarted",
		"sshd@1-1.2.3.4:22":       "never restarted",
		"docker.service":          "never restarted",
		"dbus":                    "never restarted",
		"systemd-logind.service":  "part of systemd",
		"upkeep-receiver.service": "never restarted",
		"getty@tty1.service":      "never restarted",
		"multi-user.target":       "", // becomes multi-user.target.service, which does not exist
		"../api":                  "not the name of a service",
		"api; reboot":             "not the name of a service",
		"":                        "has no unit",
	} {
		f := &fakeUnits{loaded: "not-found"}
		r := incident.Request{Target: unitTarget(unit)}
		err := withUnits(f).Precheck(t.Context(), r)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", unit, err)
		}
		if _, err := withUnits(f).Do(t.Context(), r); err == nil || len(f.calls) > 0 {
			t.Errorf("%s: got %v, called %v", unit, err, f.calls)
		}
	}
	for want, f := range map[string]*fakeUnits{
		"goes by another name": {loaded: "loaded", names: []string{"remote.service", "ssh.service"}},
		"is masked":            {loaded: "masked"},
	} {
		_, err := withUnits(f).Do(t.Context(), incident.Request{Target: unitTarget("remote")})
		if err == nil || !strings.Contains(err.Error(), want) || len(f.calls) > 0 {
			t.Errorf("got %v, want %s; called %v", err, want, f.calls)
		}
	}
	down := All(Options{Units: func(context.Context) (Units, error) { return nil, errors.New("no socket") }})["systemd.restart"]
	if err := down.Precheck(t.Context(), incident.Request{Target: unitTarget("api")}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
	if err := withUnits(&fakeUnits{loaded: "loaded"}).Precheck(t.Context(), incident.Request{Target: unitTarget("api"), With: incident.Params{"mode": {"kill"}}}); err == nil {
		t.Error("an argument that is not known was taken")
	}
}
