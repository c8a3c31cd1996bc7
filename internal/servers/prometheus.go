package servers

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Prometheus starts a Prometheus with the given configuration file, its
// lifecycle API switched on. The data goes into the folder's tsdb.
func Prometheus(ctx context.Context, configFile string, o Options) (*Process, error) {
	server, err := Find("prometheus")
	if err != nil {
		return nil, err
	}
	dir, owns, port, err := o.place("prometheus")
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return start(ctx, spec{
		name: "prometheus", program: server, dir: dir, ownsDir: owns, addr: addr,
		url: "http://" + addr, ending: syscall.SIGTERM,
		args: append([]string{
			"--config.file=" + configFile, "--storage.tsdb.path=" + dir + "/tsdb",
			"--web.listen-address=" + addr, "--web.enable-lifecycle", "--log.level=warn",
		}, o.Args...),
		ready: func(ctx context.Context) error { return httpReady(ctx, "http://"+addr+"/-/ready") },
	})
}

// Alertmanager starts an Alertmanager with the given configuration file, as a
// cluster of one that listens nowhere else.
func Alertmanager(ctx context.Context, configFile string, o Options) (*Process, error) {
	server, err := Find("prometheus-alertmanager")
	if err != nil {
		if server, err = Find("alertmanager"); err != nil {
			return nil, err
		}
	}
	dir, owns, port, err := o.place("alertmanager")
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return start(ctx, spec{
		name: "alertmanager", program: server, dir: dir, ownsDir: owns, addr: addr,
		url: "http://" + addr, ending: syscall.SIGTERM,
		args: append([]string{
			"--config.file=" + configFile, "--storage.path=" + dir + "/data",
			"--web.listen-address=" + addr, "--cluster.listen-address=", "--log.level=warn",
		}, o.Args...),
		ready: func(ctx context.Context) error { return httpReady(ctx, "http://"+addr+"/-/ready") },
	})
}

// dialTimeout bounds one try of a readiness check.
const dialTimeout = 2 * time.Second

func dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(dialTimeout))
}

func httpReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

// WriteFile writes a configuration file for a server into dir and returns its path.
func WriteFile(dir, name, content string) (string, error) {
	path := dir + "/" + name
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return "", fmt.Errorf("writing %q: %w", path, err)
	}
	return path, nil
}
