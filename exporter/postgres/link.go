package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/MNS-Vic/upkeep/internal/secret"
)

const (
	applicationName = "upkeep-exporter"
	lockTimeout     = 100 * time.Millisecond
	// parting is how long a connection whose question was cut off may take to
	// tell the server so, before its sockets are closed.
	parting = 250 * time.Millisecond
)

// link is the one connection of a group, and the socket below it.
type link struct {
	config  *pgx.ConnConfig
	secrets []secret.Secret
	tls     *TLS

	conn *pgx.Conn // used by one collection at a time

	mu     sync.Mutex
	socket *socket // the only one
}

func newLink(o Options, timeout time.Duration) (*link, error) {
	config, err := pgx.ParseConfig(o.DSN.Reveal())
	if err != nil {
		// The text quotes the connection string, and it may be one that no
		// parser can find the password in.
		return nil, errors.New("reading the PostgreSQL connection string: it is neither a URL (postgres://user@host/db) nor keywords (host=... user=...)")
	}
	if !o.Password.Empty() {
		config.Password = o.Password.Reveal()
	}
	l := &link{config: config, secrets: []secret.Secret{o.DSN, o.Password, secret.New(config.Password)}, tls: o.TLS}
	millis := strconv.FormatInt(timeout.Milliseconds(), 10)
	for name, value := range map[string]string{
		"application_name":                    applicationName,
		"statement_timeout":                   millis,
		"lock_timeout":                        strconv.FormatInt(lockTimeout.Milliseconds(), 10),
		"idle_in_transaction_session_timeout": millis,
		"default_transaction_read_only":       "on",
	} {
		config.RuntimeParams[name] = value
	}
	config.ConnectTimeout = 0 // the collection's deadline counts
	dialer := &net.Dialer{KeepAlive: time.Minute}
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return l.dial(ctx, dialer, network, addr)
	}
	if _, err := l.configFor(""); err != nil {
		return nil, err
	}
	return l, nil
}

// configFor is the configuration of a connection to one database, "" for the
// one that the connection string names. Certificates are read anew, since they
// are replaced while we run.
func (l *link) configFor(database string) (*pgx.ConnConfig, error) {
	config := l.config.Copy()
	if database != "" {
		config.Database = database
	}
	if l.tls == nil {
		return config, nil
	}
	t, err := l.tls.client(config.Host)
	if err != nil {
		return nil, err
	}
	config.TLSConfig = t
	var kept []*pgconn.FallbackConfig // other hosts, but never without TLS
	for _, f := range config.Fallbacks {
		if t, err = l.tls.client(f.Host); err != nil {
			return nil, err
		}
		kept = append(kept, &pgconn.FallbackConfig{Host: f.Host, Port: f.Port, TLSConfig: t})
	}
	config.Fallbacks = kept
	return config, nil
}

// kept tells whether a connection to this database is open.
func (l *link) kept(database string) bool {
	return l.conn != nil && !l.conn.IsClosed() && (database == "" || l.conn.Config().Database == database)
}

// open returns the kept connection when it is to this database, "" for any, or
// a new one instead of it.
func (l *link) open(ctx context.Context, database string) (*pgx.Conn, error) {
	if l.kept(database) {
		return l.conn, nil
	}
	if l.conn != nil {
		l.leave(ctx)
	}
	config, err := l.configFor(database)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		l.closeSocket()
		return nil, err
	}
	l.conn = conn
	return conn, nil
}

// drop gives up a connection after an error. Its socket is closed at once, so
// that none is left when a collection ends even if the server is stopped; then
// the server is asked, over a new one, to stop working on the question.
func (l *link) drop(conn *pgx.Conn) {
	l.conn = nil
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	l.closeSocket()
	_ = conn.Close(ctx)
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
	}
	_ = conn.PgConn().CancelRequest(ctx) // it is of no use when the session has ended
	l.closeSocket()
}

// leave ends a connection in good order.
func (l *link) leave(ctx context.Context) {
	_ = l.conn.Close(ctx)
	l.conn = nil
	l.closeSocket()
}

func (l *link) close() {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	if l.conn != nil {
		_ = l.conn.Close(ctx)
	}
	l.closeSocket()
}

// socket reports its end to the link.
type socket struct {
	net.Conn
	link *link
}

// dial opens the link's socket. There is never a second one: the library would
// open one beside the first to cancel a question.
func (l *link) dial(ctx context.Context, dialer *net.Dialer, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	busy := l.socket != nil
	l.mu.Unlock()
	if busy {
		return nil, errors.New("a connection is open already")
	}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	s := &socket{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socket = s
	return s, nil
}

func (s *socket) Close() error {
	s.link.mu.Lock()
	if s.link.socket == s {
		s.link.socket = nil
	}
	s.link.mu.Unlock()
	return s.Conn.Close()
}

func (l *link) closeSocket() {
	l.mu.Lock()
	s := l.socket
	l.mu.Unlock()
	if s != nil {
		_ = s.Close()
	}
}

// versionOf turns the server's own words ("15.6 (Debian ...)", "17beta1")
// into its number, such as 150006.
func versionOf(text string) int {
	var major, minor int
	if n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor); n == 0 {
		return 0
	}
	return major*10000 + minor
}
