package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// walker visits the databases of a server one after the other, over one
// connection at a time. Two walkers share a link, and take turns with it.
type walker struct {
	options     Options
	link        *link
	turn        chan struct{} // holds one value while the link is in use
	perServer   group         // asked in the first database
	perDatabase group
	statements  *statements // nil for none
	asker       asker
	reports     *reports
}

var _ collect.Collector = (*walker)(nil)

// Collect visits every database. One that cannot be visited does not hide the
// others.
func (w *walker) Collect(ctx context.Context, b *collect.Batch) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the other slow collection: %w", ctx.Err())
	}
	start := time.Now()
	conn, err := w.connect(ctx, "")
	if err != nil {
		return w.link.explain(err)
	}
	found, err := w.discover(ctx, conn)
	if err != nil {
		w.link.drop(conn)
		return w.link.explain(err)
	}
	var failures []error
	first := conn.Config().Database
	for i, d := range found.databases {
		if d.name != first {
			if conn, err = w.connect(ctx, d.name); err != nil {
				failures = append(failures, fmt.Errorf("database %q: %w", d.name, err))
				continue
			}
		}
		if err := w.visit(ctx, conn, b, d, i == 0, found); err != nil {
			failures = append(failures, fmt.Errorf("database %q: %w", d.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(found.databases) > 1 && w.link.conn != nil {
		w.link.leave(ctx) // with one database the connection is kept
	}
	w.reports.note(slices.Concat(w.perServer, w.perDatabase, w.statements.group(found)), &w.asker, time.Since(start).Seconds())
	if len(failures) > 0 {
		return w.link.explain(errors.Join(failures...))
	}
	return nil
}

// connect opens a connection; a kept one that has died is found out by the
// first question and replaced once.
func (w *walker) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	kept := w.link.kept(database)
	conn, err := w.link.open(ctx, database)
	if err == nil && kept {
		if err = conn.Ping(ctx); err != nil && ctx.Err() == nil {
			w.link.drop(conn)
			conn, err = w.link.open(ctx, database)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	return conn, nil
}

func (w *walker) visit(ctx context.Context, conn *pgx.Conn, b *collect.Batch, d database, first bool, all discovery) error {
	g := w.perDatabase
	if first {
		g = slices.Concat(w.perServer, g)
	}
	if w.statements != nil && d.name == all.statements {
		g = slices.Concat(g, w.statements.group(all))
	}
	refused, err := w.asker.ask(ctx, conn, g, newAnswer(conn, b))
	if err != nil {
		w.link.drop(conn)
		return err
	}
	return errors.Join(refused...)
}

// Down has nothing to say; pg_up is the fast source's.
func (w *walker) Down(*collect.Batch) {}

// Close ends the connection.
func (w *walker) Close() {
	w.turn <- struct{}{} // the other may still be at work
	defer func() { <-w.turn }()
	w.link.close()
}

// database is one that is visited.
type database struct{ name string }

// discovery is what has to be known before a walk.
type discovery struct {
	databases  []database
	statements string // the database through which pg_stat_statements is read
	extension  int    // its version, 1.10 being 110
}

// discover lists the databases that the role may connect to, the one of this
// connection first.
func (w *walker) discover(ctx context.Context, conn *pgx.Conn) (discovery, error) {
	rows, err := conn.Query(ctx, `SELECT datname::text, coalesce((SELECT extversion FROM pg_extension
			WHERE extname = 'pg_stat_statements' AND datname = current_database()), '')
		FROM pg_database WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT')
		ORDER BY datname <> current_database(), datname`)
	if err != nil {
		return discovery{}, fmt.Errorf("listing databases: %w", err)
	}
	defer rows.Close()
	var out discovery
	for rows.Next() {
		var name, extension string
		if err := rows.Scan(&name, &extension); err != nil {
			return discovery{}, collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
		}
		own := name == conn.Config().Database
		if extension != "" {
			out.statements, out.extension = name, extensionVersion(extension)
		}
		if !own && (len(w.options.Databases) > 0 && !slices.Contains(w.options.Databases, name) || slices.Contains(w.options.ExcludeDatabases, name)) {
			continue
		}
		if len(out.databases) < maxDatabases {
			out.databases = append(out.databases, database{name})
		}
	}
	if err := rows.Err(); err != nil {
		return discovery{}, fmt.Errorf("listing databases: %w", err)
	}
	return out, nil
}

// extensionVersion turns 1.10 into 110.
func extensionVersion(text string) int {
	var major, minor int
	if n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor); n != 2 {
		return 0
	}
	return major*100 + minor
}
