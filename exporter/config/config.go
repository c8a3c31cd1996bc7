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
	// Aliases publishes older and differently spelt names too, for dashboards
	// and rules of others. On unless it is false.
	Aliases *bool  `yaml:"aliases"`
	Limits  Limits `yaml:"limits"`

	Host     Host       `yaml:"host"`
	Postgres []Postgres `yaml:"postgres"`
	Redis    []Redis    `yaml:"redis"`
	API      API        `yaml:"api"`
}

// Limits bound what is published.
type Limits struct {
	SeriesPerFamily int `yaml:"series_per_family"` // of one source; more are cut, and counted
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

// Postgres is one PostgreSQL server. Tables, statements and sizes are asked
// for on the slow interval, since they cost the server most; bloat is
// estimated on its own.
type Postgres struct {
	Name             string            `yaml:"name"`
	Labels           map[string]string `yaml:"labels"` // of every series of this server
	DSNFile          string            `yaml:"dsn_file"`
	DSN              string            `yaml:"dsn"`
	PasswordFile     string            `yaml:"password_file"`
	TLS              *TLS              `yaml:"tls"`
	Interval         Duration          `yaml:"interval"`
	Timeout          Duration          `yaml:"timeout"`
	SlowInterval     Duration          `yaml:"slow_interval"`
	SlowTimeout      Duration          `yaml:"slow_timeout"`
	BloatInterval    Duration          `yaml:"bloat_interval"`
	Databases        []string          `yaml:"databases"`         // whose tables are read; all when empty
	ExcludeDatabases []string          `yaml:"exclude_databases"` // whose tables are not
	MaxTables        int               `yaml:"max_tables"`        // of each database, the largest
	MaxStatements    int               `yaml:"max_statements"`    // those that took most time
	StatementText    bool              `yaml:"statement_text"`

	Secret   secret.Secret `yaml:"-"` // the connection string, from wherever it came
	Password secret.Secret `yaml:"-"`
}

// Redis is one Redis server.
type Redis struct {
	Name         string            `yaml:"name"`
	Labels       map[string]string `yaml:"labels"` // of every series of this server
	Addr         string            `yaml:"addr"`
	Username     string            `yaml:"username"`
	PasswordFile string            `yaml:"password_file"`
	DB           int               `yaml:"db"`
	TLS          *TLS              `yaml:"tls"`
	Interval     Duration          `yaml:"interval"`
	Timeout      Duration          `yaml:"timeout"`

	Password secret.Secret `yaml:"-"`
	URL      secret.Secret `yaml:"-"` // from REDIS_URL, instead of all the above
}

// TLS switches TLS on by being there.
type TLS struct {
	CAFile             string `yaml:"ca_file"`
	CertFile           string `yaml:"cert_file"` // of the client
	KeyFile            string `yaml:"key_file"`
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
// databases that DATABASE_URL and REDIS_URL name, or the files that
// DATABASE_URL_FILE and REDIS_URL_FILE name.
func FromEnvironment(getenv func(string) string) (*Config, error) {
	var c Config
	dsn, err := fromEnvironment(getenv, "DATABASE_URL")
	if err != nil {
		return nil, err
	}
	if !dsn.Empty() {
		c.Postgres = []Postgres{{Name: "postgres", Secret: dsn}}
	}
	url, err := fromEnvironment(getenv, "REDIS_URL")
	if err != nil {
		return nil, err
	}
	if !url.Empty() {
		c.Redis = []Redis{{Name: "redis", URL: url}}
	}
	c = c.withDefaults()
	return &c, nil
}

// fromEnvironment reads a secret from the variable name, or from the file that
// name_FILE names.
func fromEnvironment(getenv func(string) string, name string) (secret.Secret, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return secret.Secret{}, fmt.Errorf("reading the environment: %s and %s_FILE are both set, keep one", name, name)
	case file != "":
		s, err := secret.FromFile(file)
		if err != nil {
			return s, fmt.Errorf("reading the environment: %s_FILE: %w", name, err)
		}
		return s, nil
	case value != "":
		return secret.New(value), nil
	default:
		return secret.Secret{}, nil
	}
}
