package action

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// A container that its engine has restarted more often than this, and the last
// time within this time, is in a crash loop: one more restart does not help.
const (
	loopRestarts = 5
	loopWithin   = 10 * time.Minute
)

// dockerRestart restarts the container that the target names, through the
// Engine API. Arguments: stop_timeout.
type dockerRestart struct{ host string }

func (dockerRestart) Name() string { return "docker.restart" }

func (a dockerRestart) Precheck(ctx context.Context, r incident.Request) error {
	if _, err := stopTimeout(r.With); err != nil {
		return err
	}
	api, err := a.connect()
	if err != nil {
		return err
	}
	defer api.Close()
	_, err = find(ctx, api, r.Target)
	return err
}

func (a dockerRestart) Do(ctx context.Context, r incident.Request) (string, error) {
	timeout, err := stopTimeout(r.With)
	if err != nil {
		return "", err
	}
	api, err := a.connect()
	if err != nil {
		return "", err
	}
	defer api.Close()
	before, err := find(ctx, api, r.Target)
	if err != nil {
		return "", err
	}
	// By its id: the name could have gone to another container meanwhile.
	if _, err := api.ContainerRestart(ctx, before.id, client.ContainerRestartOptions{Timeout: timeout}); err != nil {
		return "", fmt.Errorf("restarting container %q: %w", before.name, err)
	}
	output := fmt.Sprintf("restarted container %s (%.12s), its process was %d", before.name, before.id, before.pid)
	if after, err := find(ctx, api, r.Target); err == nil {
		output += fmt.Sprintf(" and is %d", after.pid)
	}
	return output, nil
}

func (a dockerRestart) connect() (*client.Client, error) {
	api, err := client.New(client.WithHost(a.host))
	if err != nil {
		return nil, fmt.Errorf("connecting to the container engine at %q: %w", a.host, err)
	}
	return api, nil
}

// stopTimeout is in whole seconds for the engine; nil leaves it to the container.
func stopTimeout(with incident.Params) (*int, error) {
	if err := known(with, "stop_timeout"); err != nil {
		return nil, err
	}
	if with.Get("stop_timeout") == "" {
		return nil, nil
	}
	d, err := duration(with, "stop_timeout", 0)
	if err != nil {
		return nil, err
	}
	seconds := int((d + time.Second - 1) / time.Second)
	return &seconds, nil
}

type found struct {
	id, name string
	pid      int
}

// find returns the container that is called exactly as the target says, or has
// exactly that id. The engine itself would also take the beginning of an id,
// and so could find another container than the one that is meant.
func find(ctx context.Context, api *client.Client, t incident.Target) (found, error) {
	id, err := param(t, "container", "id")
	if err != nil {
		return found{}, err
	}
	result, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return found{}, fmt.Errorf("finding container %q: %w", id, err)
	}
	c := result.Container
	f := found{id: c.ID, name: strings.TrimPrefix(c.Name, "/")}
	if f.name != id && f.id != id {
		return found{}, fmt.Errorf("finding container %q: the engine offers %q (%.12s), which only resembles it", id, f.name, f.id)
	}
	if host, err := os.Hostname(); err == nil && len(host) >= 12 && strings.HasPrefix(f.id, host) {
		return found{}, fmt.Errorf("container %q is the one we run in", f.name)
	}
	if c.State == nil {
		return f, nil
	}
	f.pid = c.State.Pid
	if c.State.Paused {
		return found{}, fmt.Errorf("container %q is paused, which somebody has done on purpose", f.name)
	}
	if began, err := time.Parse(time.RFC3339Nano, c.State.StartedAt); err == nil && c.RestartCount > loopRestarts && time.Since(began) < loopWithin {
		return found{}, fmt.Errorf("container %q has been restarted %d times by its engine, the last time %s ago: it needs a person, not another restart",
			f.name, c.RestartCount, time.Since(began).Round(time.Second))
	}
	return f, nil
}

var _ Action = dockerRestart{}
