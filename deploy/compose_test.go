// Package deploy_test checks what the Compose stack mounts: the Compose file
// itself, and every file of it with the program that reads it. It has no code
// of its own and starts no container: an engine is not everywhere.
package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// compose is the part of the Compose format that our file uses: any other key
// is a mistake until it is added here.
type compose struct {
	Name     string
	Hardened service `yaml:"x-hardened"`
	Upkeep   service `yaml:"x-upkeep"`
	Services map[string]service
	Volumes  map[string]struct{}
	Secrets  map[string]struct{ File string }
}

type service struct {
	Image           string
	Build           struct{ Context string }
	User            string
	Restart         string
	ReadOnly        bool     `yaml:"read_only"`
	SecurityOpt     []string `yaml:"security_opt"`
	CapDrop         []string `yaml:"cap_drop"`
	Command         []string
	Entrypoint      []string
	Environment     map[string]string
	Secrets         []string
	Volumes         []string
	Tmpfs           []string
	Ports           []string
	StopGracePeriod string                                `yaml:"stop_grace_period"`
	DependsOn       map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck     struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := strictyaml.DecodeFile("../docker-compose.yml", &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServicesAreWhatTheStackPromises(t *testing.T) {
	c := readCompose(t)
	want := []string{"alertmanager", "exporter", "grafana", "postgres", "prometheus", "receiver", "redis", "sample"}
	var got []string
	for name := range c.Services {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("services %q, want %q", got, want)
	}
}

func TestEachServiceIsPinnedHardenedAndChecked(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z][a-z0-9./-]*:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)
	loopback := regexp.MustCompile(`^127\.0\.0\.1:\d+:\d+$`)
	root := regexp.MustCompile(`^(root|0)?(:|$)`)
	for name, s := range readCompose(t).Services {
		if !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q has no version", name, s.Image)
		}
		if !s.ReadOnly || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || !slices.Contains(s.CapDrop, "ALL") {
			t.Errorf("%s: needs read_only, no-new-privileges and cap_drop ALL", name)
		}
		if root.MatchString(s.User) {
			t.Errorf("%s: user %q, want one that is not root", name, s.User)
		}
		h := s.Healthcheck
		if len(h.Test) < 2 || (h.Test[0] != "CMD" && h.Test[0] != "CMD-SHELL") || h.Interval == "" || h.Timeout == "" || h.Retries == 0 {
			t.Errorf("%s: health check %+v is not complete", name, h)
		}
		if strings.HasPrefix(s.Image, "upkeep:") && h.Test[0] != "CMD" {
			t.Errorf("%s: its image has no shell for the health check", name)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
		for _, p := range s.Ports {
			if !loopback.MatchString(p) {
				t.Errorf("%s: port %q is published to more than this machine", name, p)
			}
		}
		for key, value := range s.Environment {
			if regexp.MustCompile(`PASSWORD|TOKEN|SECRET`).MatchString(key) && !strings.HasPrefix(value, "/run/secrets/") {
				t.Errorf("%s: environment %s holds a secret itself", name, key)
			}
		}
	}
}

func TestEverythingThatIsMountedIsThere(t *testing.T) {
	c := readCompose(t)
	used := map[string]bool{}
	for name, s := range c.Services {
		for dependency, d := range s.DependsOn {
			if _, ok := c.Services[dependency]; !ok || d.Condition != "service_healthy" {
				t.Errorf("%s: waits for %q in condition %q", name, dependency, d.Condition)
			}
		}
		for _, v := range s.Volumes {
			source, rest, _ := strings.Cut(v, ":")
			used[source] = true
			if v == "/:/host:ro,rslave" && name == "exporter" {
				continue // measures the machine, writes nothing
			}
			if !strings.HasPrefix(source, "./") {
				if _, ok := c.Volumes[source]; !ok {
					t.Errorf("%s: volume %q is not declared", name, source)
				}
				continue
			}
			if _, err := os.Stat(filepath.Join("..", source)); err != nil {
				t.Errorf("%s: mounts %q: %v", name, source, err)
			}
			if !strings.HasSuffix(rest, ":ro") {
				t.Errorf("%s: %q can be written from inside", name, source)
			}
		}
		for _, secret := range s.Secrets {
			used[secret] = true
			if _, ok := c.Secrets[secret]; !ok {
				t.Errorf("%s: secret %q is not declared", name, secret)
			}
		}
		for _, m := range regexp.MustCompile(`/run/secrets/(\w+)`).FindAllStringSubmatch(secretReaders(t, s), -1) {
			if !slices.Contains(s.Secrets, m[1]) {
				t.Errorf("%s: reads secret %q and is not given it", name, m[1])
			}
		}
	}
	for v := range c.Volumes {
		if !used[v] {
			t.Errorf("volume %q is not used", v)
		}
	}
	for name, s := range c.Secrets {
		if !used[name] {
			t.Errorf("secret %q is not used", name)
		}
		if s.File != "./deploy/secrets/"+name {
			t.Errorf("secret %q lies at %q", name, s.File)
		}
		if _, err := os.Stat("secrets/" + name + ".example"); err != nil {
			t.Errorf("secret %q has no example: %v", name, err)
		}
	}
}

// secretReaders is all text of a service that may name a secret: its commands,
// its environment, and the files of ours that are mounted.
func secretReaders(t *testing.T, s service) string {
	t.Helper()
	text := strings.Join(slices.Concat(s.Command, s.Entrypoint, s.Healthcheck.Test), "\n")
	for _, v := range s.Environment {
		text += "\n" + v
	}
	for _, v := range s.Volumes {
		source, _, _ := strings.Cut(v, ":")
		if data, err := os.ReadFile(filepath.Join("..", source)); err == nil {
			text += "\n" + string(data)
		}
	}
	return text
}

func TestSecretsStayOutOfGitAndOfTheImage(t *testing.T) {
	ignore, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(ignore), "\n")
	if !slices.Contains(lines, "*") || slices.Contains(lines, "!deploy") {
		t.Error(".dockerignore lets deploy/ into the build")
	}
	out := command(t, "..", "git", "ls-files", "deploy/secrets")
	for file := range strings.FieldsSeq(out) {
		base := filepath.Base(file)
		if !slices.Contains([]string{".gitignore", "README.md", "generate"}, base) && filepath.Ext(base) != ".example" {
			t.Errorf("%s is in git", file)
		}
	}
}

func TestGenerateMakesEverySecretOnce(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "generate")
	data, err := os.ReadFile("secrets/generate")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, data, 0o700); err != nil {
		t.Fatal(err)
	}
	command(t, dir, script)
	first := map[string]string{}
	for name := range readCompose(t).Secrets {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(data) < 32 {
			t.Fatalf("secret %q: %d bytes, %v", name, len(data), err)
		}
		first[name] = string(data)
	}
	command(t, dir, script)
	for name, before := range first {
		after, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(after) != before {
			t.Errorf("secret %q was made again: %v", name, err)
		}
	}
	if !strings.Contains(first["postgres_exporter_dsn"], ":"+first["postgres_exporter_password"]+"@") {
		t.Error("the exporter's connection string holds another password than PostgreSQL is given")
	}
}
