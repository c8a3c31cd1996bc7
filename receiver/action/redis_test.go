package action

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/MNS-Vic/upkeep/internal/servers"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

func TestRedisFlushAtARealServer(t *testing.T) {
	server, err := servers.Redis(t.Context(), servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	db := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer db.Close()
	fill := func() {
		t.Helper()
		pipe := db.Pipeline()
		for i := range 1200 {
			pipe.Set(t.Context(), fmt.Sprintf("cache:[*]:%d", i), "x", 0)
		}
		for _, key := range []string{"cache:a:1", "cache:", "session:1", "cache", "Xcache:[*]:1"} {
			pipe.Set(t.Context(), key, "x", 0)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	size := func() int64 { return db.DBSize(t.Context()).Val() }
	a := All(Options{})["redis.flush"]
	do := func(with incident.Params) (string, error) {
		return a.Do(t.Context(), incident.Request{
			Target: incident.Target{Name: "cache", Kind: "redis", Params: map[string]string{"url": server.URL}}, With: with,
		})
	}
	fill()
	all := size()
	// A prefix means itself, whatever a pattern would make of it.
	if out, err := do(incident.Params{"prefix": {"cache:[*]:"}}); err != nil || out != `removed 1200 keys with prefix "cache:[*]:"` {
		t.Errorf("got %q, %v", out, err)
	}
	if left := size(); left != all-1200 {
		t.Errorf("%d keys are left of %d", left, all)
	}
	fill()
	if _, err := do(incident.Params{"prefix": {"cache:[*]:"}, "max_keys": {"1199"}}); err == nil || !strings.Contains(err.Error(), "none was removed") || size() != all {
		t.Errorf("too many keys: %v, %d left of %d", err, size(), all)
	}
	for want, with := range map[string]incident.Params{
		"prefix is missing":   {},
		`"all" is not known`:  {"prefix": {"a"}, "all": {"true"}},
		`max_keys "0" is not`: {"prefix": {"a"}, "max_keys": {"0"}},
	} {
		if _, err := do(with); err == nil || !strings.Contains(err.Error(), want) || size() != all {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if out, err := do(incident.Params{"prefix": {"*"}}); err != nil || out != `removed 0 keys with prefix "*"` {
		t.Errorf("a star is a letter like others: %q, %v", out, err)
	}

	r := incident.Request{Target: incident.Target{Name: "cache", Kind: "redis", Params: map[string]string{"url": server.URL}}, With: incident.Params{"prefix": {"a"}}}
	if err := a.Precheck(t.Context(), r); err != nil {
		t.Error(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := a.Precheck(t.Context(), r); err == nil {
		t.Error("a dead server passed the precheck")
	}
	r.Target.Params["url"] = "redis://:hunter2@%zz"
	if err := a.Precheck(t.Context(), r); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
