// Package redis reads one Redis server from INFO and its slow log, under the
// names that redis_exporter's dashboards and rules ask for.
//
// It keeps one connection, sends one pipeline a collection, and asks no
// question twice that the server has refused, so that it never adds to the
// errors it publishes. It reads no keys and changes nothing. The exporter
// program makes one Source of every configured server.
package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/secret"
)

// Options of one server's source.
type Options struct {
	Name  string        // label target of the collector's own metrics
	Names collect.Names // of every series

	URL      secret.Secret // redis://..., instead of all the following
	Addr     string
	Username string
	Password secret.Secret
	DB       int
	TLS      *TLS

	Interval time.Duration
	Timeout  time.Duration
}

// TLS switches TLS on by being there.
type TLS struct {
	CAFile             string
	ServerName         string
	InsecureSkipVerify bool
}

// Source makes the source of one server. Nothing is connected yet.
func Source(o Options) (collect.Source, error) {
	// The library prints to standard error what it returns as an error too,
	// past our log. It has one logger for all clients, so this is for good.
	logging.Disable()
	settings, err := o.client()
	if err != nil {
		return collect.Source{}, err
	}
	s := &server{
		client: redis.NewClient(settings), families: newFamilies(o.Names), slowlog: true,
		secrets: []secret.Secret{o.URL, o.Password, secret.New(settings.Password)},
	}
	return collect.Source{Name: "redis", Target: o.Name, Interval: o.Interval, Timeout: o.Timeout, Collector: s}, nil
}

// client are the library's options: one connection, no retries and no
// commands of its own, everything under the collection's deadline.
func (o Options) client() (*redis.Options, error) {
	c := &redis.Options{Addr: o.Addr, Username: o.Username, Password: o.Password.Reveal(), DB: o.DB}
	if !o.URL.Empty() {
		var err error
		if c, err = redis.ParseURL(o.URL.Reveal()); err != nil {
			return nil, errors.New("reading the Redis address: it is no URL such as redis://user:password@host:6379/0") // the cause may quote the password
		}
	}
	if o.TLS != nil {
		c.TLSConfig = &tls.Config{ServerName: o.TLS.ServerName, InsecureSkipVerify: o.TLS.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
		if o.TLS.CAFile != "" {
			pem, err := os.ReadFile(o.TLS.CAFile)
			if err != nil {
				return nil, fmt.Errorf("reading the certificates of Redis: %w", err)
			}
			c.TLSConfig.RootCAs = x509.NewCertPool()
			if !c.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("reading the certificates of Redis: %q holds none in PEM", o.TLS.CAFile)
			}
		}
	}
	c.ClientName = "upkeep-exporter"
	c.Protocol = 2
	c.PoolSize, c.MaxActiveConns = 1, 1
	c.MaxRetries, c.DialerRetries = -1, 1
	c.ConnMaxIdleTime = -1
	c.ContextTimeoutEnabled = true
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	c.DisableIdentity = true
	c.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return c, nil
}

type server struct {
	client   *redis.Client
	families *families
	secrets  []secret.Secret
	slowlog  bool // until the server refuses it
}

var _ collect.Collector = (*server)(nil)

// Collect asks everything in one pipeline.
func (s *server) Collect(ctx context.Context, b *collect.Batch) error {
	start := time.Now()
	pipe := s.client.Pipeline()
	info := pipe.Info(ctx, "all")
	var (
		length *redis.Cmd
		newest *redis.SlowLogCmd
	)
	if s.slowlog {
		length = pipe.Do(ctx, "SLOWLOG", "LEN")
		newest = pipe.SlowLogGet(ctx, 1)
	}
	_, broken := pipe.Exec(ctx) // the first error of a command, or why none was sent
	text, err := info.Result()
	if err == nil && text == "" {
		err = broken
	}
	if err != nil {
		return s.explain(fmt.Errorf("asking Redis for INFO: %w", err))
	}
	parsed := parseInfo(text)
	if parsed.sections["Server"] == nil && parsed.sections["Stats"] == nil {
		return collect.Fail(collect.Parse, errors.New("reading INFO: it holds neither a server nor a stats section"))
	}
	s.families.fromInfo(b, parsed, start)
	if s.slowlog {
		s.fromSlowLog(b, length, newest)
	}
	b.Add(s.families.up, 1)
	return nil
}

func (s *server) fromSlowLog(b *collect.Batch, length *redis.Cmd, newest *redis.SlowLogCmd) {
	n, err := length.Int64()
	if err != nil {
		// Forbidden, or unknown to this kind of server: asking again would
		// only be counted as an error there.
		var refused redis.Error
		s.slowlog = !errors.As(err, &refused)
		return
	}
	b.Add(s.families.slowlogLength, float64(n))
	if entries, err := newest.Result(); err == nil {
		var id, seconds float64
		if len(entries) > 0 {
			id, seconds = float64(entries[0].ID), entries[0].Duration.Seconds()
		}
		b.Add(s.families.slowlogLastID, id)
		b.Add(s.families.slowlogDuration, seconds)
	}
}

// Down is redis_up 0.
func (s *server) Down(b *collect.Batch) { b.Add(s.families.up, 0) }

// Close ends the kept connection.
func (s *server) Close() { _ = s.client.Close() }

// explain gives err its cause, and takes secrets out of its text.
func (s *server) explain(err error) error {
	cause := collect.CauseOf(err)
	var refused redis.Error
	if cause == collect.Other && errors.As(err, &refused) {
		cause = causeOfReply(refused.Error())
	} else if cause == collect.Other {
		cause = collect.Connect // the connection broke off
	}
	text := err.Error()
	for _, hidden := range s.secrets {
		text = hidden.Mask(text)
	}
	return collect.Fail(cause, errors.New(text))
}

// causeOfReply reads the first word of an error reply.
func causeOfReply(text string) collect.Cause {
	word, _, _ := strings.Cut(text, " ")
	switch {
	case word == "NOAUTH", word == "WRONGPASS", word == "NOPERM", strings.Contains(text, "invalid password"):
		return collect.Auth
	case strings.Contains(text, "max number of clients"):
		return collect.Limit
	case word == "LOADING", word == "MASTERDOWN":
		return collect.Connect
	default:
		return collect.Query
	}
}
