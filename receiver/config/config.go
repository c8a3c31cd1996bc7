// Package config reads receiver.yml: what may be acted on, which alerts are
// answered how, and how far that may go.
//
// An unknown key, a value out of bounds, an unknown target or a missing secret
// file is an error that names the file and the line; every mistake is
// reported, not only the first. The package never connects to anything. The
// receiver calls it at start, on reload, and for check and test.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/strictyaml"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Config is receiver.yml.
type Config struct {
	Global       Global        `yaml:"global"`
	Webhook      Webhook       `yaml:"webhook"`
	Storage      string        `yaml:"storage"`
	Targets      []Target      `yaml:"targets"`
	Remediations []Remediation `yaml:"remediations"`

	Hash string `yaml:"-"` // of the file, kept with every run
}

// Global holds for everything.
type Global struct {
	Mode          incident.Mode `yaml:"mode"` // a ceiling; dry_run when absent
	Prometheus    string        `yaml:"prometheus"`
	Alertmanagers []string      `yaml:"alertmanagers"`
	ReportsDir    string        `yaml:"reports_dir"`
}

// Webhook is how alerts are taken in.
type Webhook struct {
	MaxBody         Bytes  `yaml:"max_body"`
	BearerTokenFile string `yaml:"bearer_token_file"`

	BearerToken secret.Secret `yaml:"-"`
}

// Target is one entry of the list of what may be acted on. Which of the
// addresses it has depends on its kind.
type Target struct {
	Name    string `yaml:"name"`
	Kind    string `yaml:"kind"` // container, unit, postgres, redis, http, host
	Group   string `yaml:"group"`
	ID      string `yaml:"id"`       // container
	Unit    string `yaml:"unit"`     // unit
	URL     string `yaml:"url"`      // http, redis
	URLFile string `yaml:"url_file"` // redis, when the address holds a password
	DSNFile string `yaml:"dsn_file"` // postgres

	Params map[string]string `yaml:"-"` // what actions read, secrets among them
}

// Remediation is what is done about the alerts it matches.
type Remediation struct {
	Name      string        `yaml:"name"`
	Matchers  []string      `yaml:"matchers"`
	Target    string        `yaml:"target"`
	Mode      incident.Mode `yaml:"mode"`
	Hold      *Duration     `yaml:"hold"`
	Confirm   []Check       `yaml:"confirm"`
	Available []Check       `yaml:"available"`
	Guards    Guards        `yaml:"guards"`
	Steps     []Step        `yaml:"steps"`

	Match func(labels map[string]string) bool `yaml:"-"`
}

// Guards are limits of one remediation.
type Guards struct {
	Cooldown *Duration `yaml:"cooldown"`
	Budget   *Budgets  `yaml:"budget"`
}

// Check is one question to the world: an expression or an address.
type Check struct {
	Expr string    `yaml:"expr"`
	HTTP *HTTP     `yaml:"http"`
	For  *Duration `yaml:"for"`
}

// HTTP is an address and the status it must answer with: 200, 2xx, !200 or !2xx.
type HTTP struct {
	URL    string `yaml:"url"`
	Status string `yaml:"status"`
}

// Step is one thing to try.
type Step struct {
	Action     string   `yaml:"action"`
	With       Params   `yaml:"with"`
	Timeout    Duration `yaml:"timeout"`
	Idempotent bool     `yaml:"idempotent"`
	Verify     Verify   `yaml:"verify"`
}

// Verify says when a step has helped.
type Verify struct {
	Expr   string    `yaml:"expr"`
	HTTP   *HTTP     `yaml:"http"`
	Within Duration  `yaml:"within"`
	Hold   *Duration `yaml:"hold"`
}

// Load reads the file at path, reads the secrets and checks everything. known
// reports whether an action exists.
func Load(path string, known func(action string) bool) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	var c Config
	if err := strictyaml.Decode(path, data, &c); err != nil {
		return nil, err
	}
	places, err := strictyaml.NewPlaces(path, data)
	if err != nil {
		return nil, err
	}
	c.withDefaults()
	v := checker{Places: places, known: known}
	v.readSecrets(&c)
	v.config(&c)
	if err := places.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	c.Hash = hex.EncodeToString(sum[:8])
	return &c, nil
}

// maxBody is the limit of one webhook body when none is given.
const maxBody = 10 << 20

func (c *Config) withDefaults() {
	if c.Global.Mode == "" {
		c.Global.Mode = incident.ModeDryRun
	}
	if c.Webhook.MaxBody == 0 {
		c.Webhook.MaxBody = maxBody
	}
}

// Default is the configuration without a file: record, ask for verdicts, act
// on nothing.
func Default() *Config {
	var c Config
	c.withDefaults()
	return &c
}
