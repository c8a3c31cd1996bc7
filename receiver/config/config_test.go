package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func known(name string) bool { return name == "http.call" || name == "exec" }

// Every file holds one mistake; its first line says the message that must
// come, as a comment.
func TestEveryMistakeHasItsMessage(t *testing.T) {
	files, err := filepath.Glob("testdata/bad-*.yml")
	if err != nil || len(files) < 15 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimPrefix(strings.SplitN(string(data), "\n", 2)[0], "# ")
			_, err = Load(file, known)
			if err == nil {
				t.Fatalf("it was accepted, want %s", want)
			}
			if got := strings.ReplaceAll(err.Error(), file, "FILE"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAGoodFile(t *testing.T) {
	c, err := Load("testdata/good.yml", known)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Remediations[0]
	for labels, want := range map[[2]string]bool{{"Down", "prod"}: true, {"Down", "stage"}: true, {"Down", "test"}: false, {"Up", "prod"}: false} {
		if got := r.Match(map[string]string{"alertname": labels[0], "env": labels[1]}); got != want {
			t.Errorf("%v: matches %v", labels, got)
		}
	}
	b := *r.Guards.Budget
	if len(b) != 2 || b[0].Max != 3 || b[0].Per != time.Hour || b[1].Per != 24*time.Hour || r.Guards.Cooldown.Std() != 15*time.Minute {
		t.Errorf("got %+v", r.Guards)
	}
	if got := r.Steps[0].With["argv"]; len(got) != 2 || got[1] != "5" || c.Webhook.MaxBody != 1<<20 || c.Webhook.BearerToken.Reveal() != "secret" {
		t.Errorf("got %q, %d", got, c.Webhook.MaxBody)
	}
	if path, err := c.StoragePath(); err != nil || path != "/var/lib/upkeep/receiver.db" {
		t.Errorf("got %q, %v", path, err)
	}
}
