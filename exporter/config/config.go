// Package config reads exporter.yml: what to watch, how often, and with which
// credentials.
//
// An unknown key, a value out of bounds or a missing secret file is an error
// that names the file and the line; every mistake is reported, not only the
// first. Secrets come from files or, with no configuration file at all, from
// the environment. The package never connects to anything. The exporter
// program calls it at start, on reload and for --config.check.
package config

import (
	"fmt"
	"os"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// Config is exporter.yml.
type Config struct {
	Host     Host       `yaml:"host"`
	Postgres []Postgres `yaml:"postgres"`
	Redis    []Redis    `yaml:"redis"`
	API      API        `yaml:"api"`
}

// Host is this machine. It is watched unless enabled is false.
type Host struct {
	Enabled  *bool    `yaml:"enabled"`
	Interval Duration `yaml:"interval"`
	Timeout  Duration `yaml:"timeout"`
	ProcFS   string   `yaml:"procfs"` // where the host's /proc is mounted
	SysFS    string   `yaml:"sysfs"`
	RootFS   string   `yaml:"rootfs"`
}

// Postgres is one PostgreSQL server. Sizes of databases are asked for on the
// slow interval, since they cost the server most.
type Postgres struct {
	Name         string   `yaml:"name"`
	DSNFile      string   `yaml:"dsn_file"`
	DSN          string   `yaml:"dsn"`
	Interval     Duration `yaml:"interval"`
	Timeout      Duration `yaml:"timeout"`
	SlowInterval Duration `yaml:"slow_interval"`

	Secret secret.Secret `yaml:"-"` // the connection string, from wherever it came
}

// Redis is one Redis server.
type Redis struct {
	Name         string   `yaml:"name"`
	Addr         string   `yaml:"addr"`
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"password_file"`
	DB           int      `yaml:"db"`
	TLS          *TLS     `yaml:"tls"`
	Interval     Duration `yaml:"interval"`
	Timeout      Duration `yaml:"timeout"`

	Password secret.Secret `yaml:"-"`
	URL      secret.Secret `yaml:"-"` // from REDIS_URL, instead of all the above
}

// TLS switches TLS on by being there.
type TLS struct {
	CAFile             string `yaml:"ca_file"`
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

// API is what is probed over HTTP, with defaults for every target.
type API struct {
	Interval Duration `yaml:"interval"`
	Timeout  Duration `yaml:"timeout"`
	Targets  []Target `yaml:"targets"`
}

// Target is one endpoint. Our own services have no exchange.
type Target struct {
	Exchange     string            `yaml:"exchange"`
	Endpoint     string            `yaml:"endpoint"`
	URL          string            `yaml:"url"`
	Method       string            `yaml:"method"`
	Headers      map[string]string `yaml:"headers"`
	ExpectStatus []int             `yaml:"expect_status"`
	BodyContains string            `yaml:"body_contains"`
	Interval     Duration          `yaml:"interval"`
	Timeout      Duration          `yaml:"timeout"`
}

// Load reads the file at path, fills in defaults, reads the secrets and checks
// everything.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	var raw Config
	if err := strictyaml.Decode(path, data, &raw); err != nil {
		return nil, err
	}
	places, err := newPlaces(path, data)
	if err != nil {
		return nil, err
	}
	c := raw.withDefaults()
	c.readSecrets(places)
	c.validate(places)
	if err := places.Err(); err != nil {
		return nil, err
	}
	return &c, nil
}

// FromEnvironment is the configuration without a file: the host, and the
// databases that DATABASE_URL and REDIS_URL name.
func FromEnvironment(getenv func(string) string) *Config {
	var c Config
	if dsn := getenv("DATABASE_URL"); dsn != "" {
		c.Postgres = []Postgres{{Name: "postgres", Secret: secret.New(dsn)}}
	}
	if url := getenv("REDIS_URL"); url != "" {
		c.Redis = []Redis{{Name: "redis", URL: secret.New(url)}}
	}
	c = c.withDefaults()
	return &c
}
