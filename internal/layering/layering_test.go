// Package layering holds, as a test, who may import whom. It has no other
// code. A new arrow is a visible change of the table below.
package layering

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/MNS-Vic/upkeep/"

// leaf stands for every package of internal/ but this one.
const leaf = "internal/*"

// ours says which of our packages each package may import; the first row that
// fits counts. A package without a row may not exist.
var ours = []struct {
	pkg string
	may []string
}{
	{"exporter", []string{"exporter/*", leaf}},
	{"exporter/collect", []string{leaf}},
	{"exporter/config", []string{leaf}},
	{"exporter/*", []string{"exporter/collect", leaf}},
	{"receiver", []string{"receiver/*", leaf}},
	{"receiver/incident", []string{"internal/verdict"}},
	{"receiver/engine", []string{"receiver/incident"}},
	{"receiver/*", []string{"receiver/incident", leaf}},
	{"rules", []string{"rules/*", leaf}},
	{"rules/rulefile", nil},
	{"rules/tune", nil},
	{"rules/*", []string{leaf}},
	{"dashboards", []string{"dashboards/*", "rules/rulefile", leaf}},
	{"dashboards/*", []string{leaf}},
	{"demo", []string{leaf}},
	{"demo/*", []string{leaf}},
	{leaf, nil},
}

// theirs says which packages may import a module of others that is kept behind
// one door (all packages below the path included).
var theirs = map[string][]string{
	"github.com/jackc/pgx":                                    {"exporter/postgres", "receiver/ledger", "receiver/action", "receiver/check"},
	"github.com/redis/go-redis":                               {"exporter/redis", "receiver/action", "receiver/check"},
	"github.com/klauspost/compress":                           {"exporter"},
	"github.com/prometheus/procfs":                            {"exporter/host"},
	"github.com/moby/moby":                                    {"exporter/docker", "receiver/action", "receiver/check"},
	"github.com/coreos/go-systemd":                            {"exporter/host", "receiver/action"},
	"modernc.org/sqlite":                                      {"receiver/ledger"},
	"github.com/grafana-tools/sdk":                            {"dashboards", "dashboards/panel"},
	"go.yaml.in/yaml":                                         {"internal/strictyaml", "rules/rulefile"},
	"github.com/prometheus/prometheus":                        {"rules/rulefile", "dashboards"},
	"github.com/prometheus/exporter-toolkit/web":              {"internal/httpd", "exporter", "receiver"},
	"github.com/prometheus/alertmanager":                      {"receiver/config", "receiver/guard", "receiver/intake"},
	"github.com/rogpeppe/go-internal":                         nil, // tests only
	"github.com/google/go-cmp":                                nil,
	"github.com/chromedp":                                     nil,
	"github.com/grafana/grafana-foundation-sdk":               nil,
	"github.com/prometheus/client_golang/prometheus/testutil": nil,
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImportTable(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		may, known := row(name)
		if !known {
			t.Errorf("%s has no row in the import table", name)
			continue
		}
		for _, imported := range p.Imports {
			if own, isOurs := strings.CutPrefix(imported, module); isOurs {
				if !fitsAny(may, own) {
					t.Errorf("%s imports %s; it may import %q", name, own, may)
				}
				continue
			}
			for path, doors := range theirs {
				if (imported == path || strings.HasPrefix(imported, path+"/")) && !slices.Contains(doors, name) {
					t.Errorf("%s imports %s, which stays behind %q", name, imported, doors)
				}
			}
		}
	}
}

func row(name string) ([]string, bool) {
	for _, r := range ours {
		if fits(r.pkg, name) {
			return r.may, true
		}
	}
	return nil, false
}

func fits(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func fitsAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, name) })
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.Imports) > 0 { // a package of tests only imports nothing
			pkgs = append(pkgs, p)
		}
	}
	if len(pkgs) < 10 {
		t.Fatalf("found only %d packages, the test looks at the wrong place", len(pkgs))
	}
	return pkgs
}
