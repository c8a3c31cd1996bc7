package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"

	"github.com/MNS-Vic/upkeep/internal/promapi"
	"github.com/MNS-Vic/upkeep/internal/servers"
)

// The configuration files of the demo, templates over places.
//
//go:embed conf/*.yml
var confFiles embed.FS

// places is where everything is: addresses (host:port) and paths.
type places struct {
	Prometheus, Alertmanager, Exporter, Receiver, Sample, Supervisor, Redis string

	Root, Bin, Conf, Rules, Reports, Store, Token, DSN string
}

// stage is everything that runs during the demo, in one temporary folder.
type stage struct {
	places
	token      string
	repo       string // the checkout that the programs are built from
	supervisor *supervisor
	running    []*servers.Process // in order of start
	receiver   *servers.Process
	prom       *promapi.Client
}

// newStage makes the folder and builds the programs.
func newStage(ctx context.Context, repo string) (*stage, error) {
	root, err := os.MkdirTemp("", "upkeep-demo-")
	if err != nil {
		return nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	s := &stage{repo: repo, token: rand.Text(), places: places{
		Root: root, Bin: root + "/bin", Conf: root + "/conf", Rules: root + "/repository/rules",
		Reports: root + "/reports", Store: root + "/receiver.db", Token: root + "/conf/webhook.token", DSN: root + "/conf/postgres.dsn",
	}}
	// PostgreSQL runs as a user of its own and must reach its folder.
	if err := os.Chmod(root, 0o755); err != nil {
		s.close()
		return nil, fmt.Errorf("opening the demo's folder: %w", err)
	}
	for _, dir := range []string{s.Bin, s.Conf, s.Rules, s.Reports} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			s.close()
			return nil, fmt.Errorf("making the demo's folders: %w", err)
		}
	}
	for name, pkg := range map[string]string{
		"upkeep-exporter": "./exporter", "upkeep-receiver": "./receiver", "upkeep-rules": "./rules", "upkeep-sample": "./demo/sample",
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", s.program(name), pkg)
		cmd.Dir = repo
		if out, err := cmd.CombinedOutput(); err != nil {
			s.close()
			return nil, fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return s, nil
}

func (s *stage) program(name string) string { return filepath.Join(s.Bin, name) }

// start brings everything up, each part once the ones it needs are ready.
func (s *stage) start(ctx context.Context) error {
	var err error
	for _, addr := range []*string{&s.Prometheus, &s.Alertmanager, &s.Exporter, &s.Receiver} {
		port, err := servers.FreePort()
		if err != nil {
			return err
		}
		*addr = fmt.Sprintf("127.0.0.1:%d", port)
	}
	postgres, err := s.add(servers.Postgres(ctx, servers.Options{Dir: s.Root + "/postgres"}))
	if err != nil {
		return err
	}
	redis, err := s.add(servers.Redis(ctx, servers.Options{Dir: s.Root + "/redis"}))
	if err != nil {
		return err
	}
	s.Redis = redis.Addr
	if s.supervisor, err = newSupervisor(ctx, s.program("upkeep-sample")); err != nil {
		return err
	}
	s.Sample, s.Supervisor = s.supervisor.addr, s.supervisor.listen.Addr().String()
	if err := s.configure(postgres.URL); err != nil {
		return err
	}
	if err := s.prepareRules(ctx); err != nil {
		return err
	}
	if _, err := s.add(servers.Program(ctx, "exporter", s.program("upkeep-exporter"), s.Exporter, "http://"+s.Exporter+"/-/ready",
		servers.Options{Dir: s.Root + "/exporter", Args: []string{"--config.file=" + s.Conf + "/exporter.yml", "--web.listen-address=" + s.Exporter}})); err != nil {
		return err
	}
	if err := s.startReceiver(ctx); err != nil {
		return err
	}
	if _, err := s.add(servers.Alertmanager(ctx, s.Conf+"/alertmanager.yml", s.at("alertmanager", s.Alertmanager))); err != nil {
		return err
	}
	if _, err := s.add(servers.Prometheus(ctx, s.Conf+"/prometheus.yml", s.at("prometheus", s.Prometheus))); err != nil {
		return err
	}
	s.prom, err = promapi.New("http://"+s.Prometheus, nil)
	return err
}

// startReceiver is apart because tests kill the receiver and start it again.
func (s *stage) startReceiver(ctx context.Context) error {
	p, err := s.add(servers.Program(ctx, "receiver", s.program("upkeep-receiver"), s.Receiver, "http://"+s.Receiver+"/-/ready",
		servers.Options{Dir: s.Root + "/receiver", Args: []string{"serve", "--config.file=" + s.Conf + "/receiver.yml", "--web.listen-address=" + s.Receiver}}))
	s.receiver = p
	return err
}

func (s *stage) at(name, addr string) servers.Options {
	var port int
	_, _ = fmt.Sscanf(addr, "127.0.0.1:%d", &port) // we made the address ourselves
	return servers.Options{Dir: s.Root + "/" + name, Port: port}
}

func (s *stage) add(p *servers.Process, err error) (*servers.Process, error) {
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, p)
	return p, nil
}

// configure writes every configuration file and secret.
func (s *stage) configure(dsn string) error {
	for path, secret := range map[string]string{s.Token: s.token, s.DSN: dsn} {
		if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing a secret file: %w", err)
		}
	}
	for name, dir := range map[string]string{
		"prometheus.yml": s.Conf, "alertmanager.yml": s.Conf, "exporter.yml": s.Conf, "receiver.yml": s.Conf,
	} {
		if err := s.render("conf/"+name, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) render(from, to string) error {
	text, err := template.New(filepath.Base(from)).Option("missingkey=error").ParseFS(confFiles, from)
	if err != nil {
		return fmt.Errorf("reading the demo's %s: %w", from, err)
	}
	var buf bytes.Buffer
	if err := text.Execute(&buf, s.places); err != nil {
		return fmt.Errorf("filling in the demo's %s: %w", from, err)
	}
	return os.WriteFile(to, buf.Bytes(), 0o644)
}

// prepareRules makes the git repository with the rule files that ship, as they
// are, and the sample's own.
func (s *stage) prepareRules(ctx context.Context) error {
	shipped, err := filepath.Glob(filepath.Join(s.repo, "rules", "*.yml"))
	if err != nil {
		return err
	}
	for _, path := range shipped {
		if filepath.Base(path) == "tuning.yml" {
			continue // it is about the shipped alerts; the demo tunes its own
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("copying the rules: %w", err)
		}
		if err := os.WriteFile(filepath.Join(s.Rules, filepath.Base(path)), data, 0o644); err != nil {
			return fmt.Errorf("copying the rules: %w", err)
		}
	}
	for from, to := range map[string]string{"conf/sample.yml": s.Rules + "/sample.yml", "conf/tuning.yml": filepath.Dir(s.Rules) + "/tuning.yml"} {
		data, err := fs.ReadFile(confFiles, from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return fmt.Errorf("writing the sample's rules: %w", err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"config", "user.name", "Upkeep demo"}, {"config", "user.email", "demo@localhost"},
		{"config", "commit.gpgsign", "false"}, {"add", "."}, {"commit", "-q", "-m", "rules: as they ship"},
	} {
		if _, err := s.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// git runs git in the rules' repository.
func (s *stage) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = filepath.Dir(s.Rules)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running git %s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

// setQueue sets the length of the sample's queue.
func (s *stage) setQueue(ctx context.Context, length int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/queue/%d", s.Sample, length), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("setting the sample's queue: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("setting the sample's queue: %s", resp.Status)
	}
	return nil
}

// close ends everything, the last started first, and removes the folder.
func (s *stage) close() {
	for i := len(s.running) - 1; i >= 0; i-- {
		_ = s.running[i].Stop()
	}
	if s.supervisor != nil {
		s.supervisor.close()
	}
	_ = os.RemoveAll(s.Root)
}
