// Package action holds what the receiver may do to the world, one action a
// file: restart a container or a unit, run a program, call an address, flush
// keys, end database sessions.
//
// An action acts on its target, which comes from the list of targets, and on
// nothing else; it refuses in its precheck what must never be done, and
// arguments it does not know. It decides neither when nor whether to act, and
// never tries twice: that is the engine's, the only caller.
package action

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Action is one thing that may be done.
type Action interface {
	Name() string
	// Precheck refuses what must not or cannot be done; it changes nothing.
	Precheck(ctx context.Context, r incident.Request) error
	// Do acts, and returns soon after ctx is done.
	Do(ctx context.Context, r incident.Request) (output string, err error)
}

// Options of the actions that ship. The zero value is right for production.
type Options struct {
	DockerHost string       // "" means unix:///var/run/docker.sock
	HTTP       *http.Client // nil gets one of its own; redirects are never followed
	Units      DialUnits    // nil means the system's own systemd
}

// All returns every action by its name.
func All(o Options) map[string]Action {
	if o.DockerHost == "" {
		o.DockerHost = "unix:///var/run/docker.sock"
	}
	if o.Units == nil {
		o.Units = dialSystemd
	}
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return map[string]Action{
		"docker.restart":              dockerRestart{host: o.DockerHost},
		"systemd.restart":             systemdRestart{dial: o.Units},
		"exec":                        execProgram{},
		"http.call":                   httpCall{&client},
		"redis.flush":                 redisFlush{},
		"postgres.terminate_backends": terminateBackends{},
	}
}

// known refuses arguments that an action does not have: a misspelt limit must
// not silently be no limit.
func known(with incident.Params, names ...string) error {
	for _, key := range slices.Sorted(maps.Keys(with)) {
		if !slices.Contains(names, key) {
			return fmt.Errorf("argument %q is not known, only %s are", key, strings.Join(names, ", "))
		}
	}
	return nil
}

// param returns what the target must have, such as its id.
func param(t incident.Target, kind, name string) (string, error) {
	if t.Kind != kind {
		return "", fmt.Errorf("target %q is of kind %q, this action needs kind %q", t.Name, t.Kind, kind)
	}
	if t.Params[name] == "" {
		return "", fmt.Errorf("target %q has no %s", t.Name, name)
	}
	return t.Params[name], nil
}

// duration reads an optional argument.
func duration(with incident.Params, name string, fallback time.Duration) (time.Duration, error) {
	text := with.Get(name)
	if text == "" {
		return fallback, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s %q is not a duration such as 20s", name, text)
	}
	return d, nil
}

// number reads an optional argument from 1 to most.
func number(with incident.Params, name string, fallback, most int) (int, error) {
	text := with.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s %q is not a number from 1 to %d", name, text, most)
	}
	return n, nil
}
