package servers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Postgres starts a new PostgreSQL cluster with the superuser "postgres" and
// no password. As root it runs as the system user postgres, since the server
// refuses root.
func Postgres(ctx context.Context, o Options) (*Process, error) {
	server, err := Find("postgres")
	if err != nil {
		return nil, err
	}
	initdb, err := Find("initdb")
	if err != nil {
		return nil, err
	}
	dir, owns, port, err := o.place("postgres")
	if err != nil {
		return nil, err
	}
	giveUp := func(err error) (*Process, error) {
		if owns {
			_ = os.RemoveAll(dir)
		}
		return nil, err
	}
	cred, err := unprivileged(dir, "postgres")
	if err != nil {
		return giveUp(err)
	}
	data := dir + "/data"
	if _, err := os.Stat(data); err != nil {
		init := exec.CommandContext(ctx, initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
		init.Dir, init.SysProcAttr = dir, &syscall.SysProcAttr{Credential: cred}
		if out, err := init.CombinedOutput(); err != nil {
			return giveUp(fmt.Errorf("making a PostgreSQL cluster in %q: %w\n%s", data, err, out))
		}
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return start(ctx, spec{
		name: "postgres", program: server, dir: dir, ownsDir: owns, addr: addr,
		url:  "postgres://postgres@" + addr + "/postgres?sslmode=disable",
		user: cred, ending: syscall.SIGINT, // fast shutdown
		args: append([]string{
			"-D", data, "-c", "listen_addresses=127.0.0.1", "-p", strconv.Itoa(port),
			"-c", "unix_socket_directories=" + dir, "-c", "fsync=off", "-c", "shared_buffers=32MB",
		}, o.Args...),
		ready: func(ctx context.Context) error { return postgresReady(ctx, addr) },
	})
}

// unprivileged hands dir to a system user when we are root, and returns the
// credential to run as; nil when we are not root.
func unprivileged(dir, name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("finding the system user %q: %w; the package %s makes it", name, err, Package(name))
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, fmt.Errorf("reading the id of user %q: %w", name, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, fmt.Errorf("reading the group of user %q: %w", name, err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, fmt.Errorf("giving %q to user %q: %w", dir, name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// startupRequest opens a session as user postgres; the server answers 'R' when
// it is ready for it and 'E' while it still starts up.
const startupRequest = "\x00\x00\x00\x16\x00\x03\x00\x00user\x00postgres\x00\x00"

func postgresReady(ctx context.Context, addr string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	answer := make([]byte, 1)
	startup := []byte(startupRequest)
	startup[3] = byte(len(startup))
	if _, err := conn.Write(startup); err != nil {
		return err
	}
	if _, err := conn.Read(answer); err != nil {
		return err
	}
	if answer[0] != 'R' {
		return errNotReady
	}
	return nil
}

// Redis starts a Redis server without persistence.
func Redis(ctx context.Context, o Options) (*Process, error) {
	server, err := Find("redis-server")
	if err != nil {
		return nil, err
	}
	dir, owns, port, err := o.place("redis")
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return start(ctx, spec{
		name: "redis", program: server, dir: dir, ownsDir: owns, addr: addr,
		url: "redis://" + addr + "/0", ending: syscall.SIGTERM,
		args:  append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "", "--appendonly", "no"}, o.Args...),
		ready: func(ctx context.Context) error { return redisReady(ctx, addr) },
	})
}

func redisReady(ctx context.Context, addr string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	// A server that wants a password is up as well.
	if !strings.HasPrefix(line, "+PONG") && !strings.HasPrefix(line, "-NOAUTH") {
		return errNotReady
	}
	return nil
}
