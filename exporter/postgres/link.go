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

	"github.com/MNS-Vic/upkeep/internal/secret"
)

const (
	applicationName = "upkeep-exporter"
	lockTimeout     = 100 * time.Millisecond
	// parting is how long a connection whose question was cut off may take to
	// tell the server so, before its sockets are closed.
	parting = 250 * time.Millisecond
)

// link is the one connection of a group, and the sockets below it.
type link struct {
	config *pgx.ConnConfig
	dsn    secret.Secret

	conn *pgx.Conn // used by one collection at a time

	mu      sync.Mutex
	sockets map[net.Conn]bool
}

func newLink(dsn secret.Secret, timeout time.Duration) (*link, error) {
	config, err := pgx.ParseConfig(dsn.Reveal())
	if err != nil {
		// The text quotes the connection string, and it may be one that no
		// parser can find the password in.
		return nil, errors.New("reading the PostgreSQL connection string: it is neither a URL (postgres://user@host/db) nor keywords (host=... user=...)")
	}
	l := &link{config: config, dsn: dsn, sockets: map[net.Conn]bool{}}
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
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return l.track(conn), nil
	}
	return l, nil
}

func (l *link) kept() bool { return l.conn != nil && !l.conn.IsClosed() }

// open returns the kept connection, or a new one.
func (l *link) open(ctx context.Context) (*pgx.Conn, error) {
	if l.kept() {
		return l.conn, nil
	}
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		l.closeSockets()
		return nil, err
	}
	l.conn = conn
	return conn, nil
}

// drop gives up a connection after an error. A cut-off question is cancelled
// at the server, but a server that is stopped will not even take that: its
// sockets are closed after a moment, so none are left when a collection ends.
func (l *link) drop(conn *pgx.Conn) {
	l.conn = nil
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	_ = conn.Close(ctx)
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
	}
	l.closeSockets()
}

// leave ends a connection in good order.
func (l *link) leave(ctx context.Context) {
	_ = l.conn.Close(ctx)
	l.conn = nil
	l.closeSockets()
}

func (l *link) close() {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	if l.conn != nil {
		_ = l.conn.Close(ctx)
	}
	l.closeSockets()
}

// socket reports its end to the link.
type socket struct {
	net.Conn
	link *link
}

func (l *link) track(conn net.Conn) net.Conn {
	s := &socket{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sockets[s] = true
	return s
}

func (s *socket) Close() error {
	s.link.mu.Lock()
	delete(s.link.sockets, s)
	s.link.mu.Unlock()
	return s.Conn.Close()
}

func (l *link) closeSockets() {
	l.mu.Lock()
	var left []net.Conn
	for s := range l.sockets {
		left = append(left, s)
	}
	l.mu.Unlock()
	for _, s := range left {
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
