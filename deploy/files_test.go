package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/MNS-Vic/upkeep/internal/strictyaml"
)

// command runs a program that must succeed and gives back what it printed.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed; run: make deps", name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// staged copies a configuration file to a temporary folder and makes the paths
// of the container in it lead there, with the example secrets in place.
func staged(t *testing.T, path string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	examples, err := filepath.Glob("secrets/*.example")
	if err != nil || len(examples) == 0 {
		t.Fatalf("finding example secrets: %q, %v", examples, err)
	}
	for _, e := range examples {
		copyFile(t, e, filepath.Join(dir, strings.TrimSuffix(filepath.Base(e), ".example")), nil)
	}
	file = filepath.Join(dir, filepath.Base(path))
	copyFile(t, path, file, strings.NewReplacer("/run/secrets", dir, "/var/lib/upkeep", dir, "/host/", "/", "rootfs: /host", "rootfs: /"))
	return dir, file
}

func copyFile(t *testing.T, from, to string, edit *strings.Replacer) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		data = []byte(edit.Replace(string(data)))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPrometheusLoadsItsFileWithEveryRule(t *testing.T) {
	dir, file := staged(t, "prometheus/prometheus.yml")
	rules, err := filepath.Glob("../rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range rules {
		name := filepath.Join("rules", filepath.Base(r))
		copyFile(t, r, filepath.Join(dir, name), nil)
		if name != "rules/tuning.yml" {
			want = append(want, name)
		}
	}
	var got struct {
		Rules []string       `yaml:"rule_files"`
		Rest  map[string]any `yaml:",inline"`
	}
	if err := strictyaml.DecodeFile(file, &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Rules, want) {
		t.Errorf("prometheus.yml loads %q, in the folder are %q", got.Rules, want)
	}
	command(t, dir, "promtool", "check", "config", file)
}

func TestPrometheusScrapesWhatTheRulesLookFor(t *testing.T) {
	config, err := os.ReadFile("prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("../rules/pipeline.yml")
	if err != nil {
		t.Fatal(err)
	}
	jobs := regexp.MustCompile(`job="([\w-]+)"`).FindAllStringSubmatch(string(rules), -1)
	if len(jobs) == 0 {
		t.Fatal("no rule looks for a job, the test looks at the wrong place")
	}
	for _, m := range jobs {
		if !strings.Contains(string(config), "job_name: "+m[1]+"\n") {
			t.Errorf("rules look for job %q, which is not scraped", m[1])
		}
	}
	services := readCompose(t).Services
	for _, m := range regexp.MustCompile(`targets: \['([\w.]+):\d+'\]`).FindAllStringSubmatch(string(config), -1) {
		if _, ok := services[m[1]]; !ok && m[1] != "127.0.0.1" {
			t.Errorf("target %q is not a service", m[1])
		}
	}
}

func TestAlertmanagerRoutes(t *testing.T) {
	_, file := staged(t, "alertmanager/alertmanager.yml")
	command(t, ".", "amtool", "check-config", file)
	for labels, want := range map[string]string{
		"alertname=ApiEndpointDown severity=P1 component=api":       "upkeep,people-now",
		"alertname=HostCpuSaturated severity=P2 component=host":     "upkeep,people-today",
		"alertname=ApiLatencyHigh severity=P3 component=api":        "upkeep,people",
		"alertname=FromElsewhere severity=critical":                 "upkeep,people-now",
		"alertname=ReceiverDown severity=P1 component=pipeline":     "people-now",
		"alertname=CollectorFailing severity=P2 component=pipeline": "people-today",
		"alertname=Watchdog severity=none component=pipeline":       "watchdog",
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + file}, strings.Fields(labels)...)
		lines := strings.Split(strings.TrimSpace(command(t, ".", "amtool", args...)), "\n")
		if got := lines[len(lines)-1]; got != want { // a warning may stand before it
			t.Errorf("%s goes to %q, want %q", labels, got, want)
		}
	}
}

// What the receiver needs of Alertmanager, and what 0.25 does not know.
func TestAlertmanagerDeliversWhole(t *testing.T) {
	type rule struct {
		Equal []string
		Rest  map[string]any `yaml:",inline"`
	}
	var c struct {
		Receivers []struct {
			Name     string
			Webhooks []map[string]any `yaml:"webhook_configs"`
		}
		Inhibit []rule         `yaml:"inhibit_rules"`
		Rest    map[string]any `yaml:",inline"`
	}
	if err := strictyaml.DecodeFile("alertmanager/alertmanager.yml", &c); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, r := range c.Receivers {
		for _, w := range r.Webhooks {
			found = found || r.Name == "upkeep"
			_, timeout := w["timeout"]
			if w["send_resolved"] != true || w["max_alerts"] != 0 || timeout {
				t.Errorf("receiver %q: webhook %v: want send_resolved, no limit on alerts, no timeout", r.Name, w)
			}
		}
	}
	if !found {
		t.Error("no webhook leads to Upkeep's receiver")
	}
	for i, r := range c.Inhibit {
		if len(r.Equal) == 0 {
			t.Errorf("inhibition %d mutes alerts of others: it has no equal", i)
		}
	}
}

func TestGrafanaIsProvisioned(t *testing.T) {
	var sources struct {
		Version int `yaml:"apiVersion"`
		Sources []struct {
			UID, URL, Type string
			JSON           struct {
				Interval string `yaml:"timeInterval"`
				Method   string `yaml:"httpMethod"`
			} `yaml:"jsonData"`
			Rest map[string]any `yaml:",inline"`
		} `yaml:"datasources"`
	}
	if err := strictyaml.DecodeFile("grafana/provisioning/datasources/prometheus.yml", &sources); err != nil {
		t.Fatal(err)
	}
	var prometheus struct {
		Global map[string]string
		Rest   map[string]any `yaml:",inline"`
	}
	if err := strictyaml.DecodeFile("prometheus/prometheus.yml", &prometheus); err != nil {
		t.Fatal(err)
	}
	if len(sources.Sources) != 1 || sources.Sources[0].UID == "" || sources.Sources[0].JSON.Interval != prometheus.Global["scrape_interval"] {
		t.Errorf("source %+v: want one with a uid and timeInterval %q", sources.Sources, prometheus.Global["scrape_interval"])
	}
	var providers struct {
		Version   int `yaml:"apiVersion"`
		Providers []struct {
			Options struct{ Path string }
			Rest    map[string]any `yaml:",inline"`
		}
	}
	if err := strictyaml.DecodeFile("grafana/provisioning/dashboards/upkeep.yml", &providers); err != nil {
		t.Fatal(err)
	}
	committed, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(committed) == 0 {
		t.Fatalf("finding dashboards: %q, %v", committed, err)
	}
	mounted := readCompose(t).Services["grafana"].Volumes
	for _, d := range committed {
		name := filepath.Base(d)
		want := "./dashboards/" + name + ":" + providers.Providers[0].Options.Path + "/" + name + ":ro"
		if !slices.Contains(mounted, want) {
			t.Errorf("grafana does not mount %q", want)
		}
	}
}

func TestImageHasEveryProgramThatIsStarted(t *testing.T) {
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := string(dockerfile)
	for name, s := range readCompose(t).Services {
		if !strings.HasPrefix(s.Image, "upkeep:") {
			continue
		}
		for _, program := range []string{s.Entrypoint[0], s.Healthcheck.Test[1]} {
			short := strings.TrimPrefix(program, "/upkeep-")
			if !regexp.MustCompile(`for program in [a-z ]*\b`+short+`\b`).MatchString(text) && !strings.Contains(text, "/out"+program+" ") {
				t.Errorf("%s: the image has no %s", name, program)
			}
		}
	}
	for _, want := range []string{"FROM scratch", "USER 65532:65532", "CGO_ENABLED=0"} {
		if !strings.Contains(text, want) {
			t.Errorf("Dockerfile has no %q", want)
		}
	}
	if from := regexp.MustCompile(`(?m)^FROM golang:\d+\.\d+\.\d+-\w+ AS build$`); !from.MatchString(text) {
		t.Error("the build image has no version")
	}
}
