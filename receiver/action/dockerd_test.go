//go:build dockerd

// A container engine is not everywhere, so this file needs a tag:
//
//	go test -tags dockerd ./receiver/action     # as root; apt-get install docker.io
//
// docker_test.go has the same action against a server that speaks the Engine API.
package action

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// sleeper is what runs in the container. It takes SIGTERM as the order to end.
const sleeper = `package main

import ("os"; "os/signal"; "syscall")

func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

func TestDockerRestartAtARealEngine(t *testing.T) {
	host := startDockerd(t)
	api, err := client.New(client.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	image := importImage(t, api)
	for _, name := range []string{"web", "web-2"} {
		made, err := api.ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Name: name, Image: image, Config: &containers.Config{Cmd: []string{"/sleeper"}},
			HostConfig: &containers.HostConfig{NetworkMode: "none"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := api.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	pid := func(name string) int {
		t.Helper()
		result, err := api.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return result.Container.State.Pid
	}
	before, other := pid("web"), pid("web-2")
	r := incident.Request{
		Target: incident.Target{Name: "web", Kind: "container", Params: map[string]string{"id": "web"}},
		With:   incident.Params{"stop_timeout": {"5s"}},
	}
	a := All(Options{DockerHost: host})["docker.restart"]
	if err := a.Precheck(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if pid("web") != before {
		t.Error("the precheck restarted it")
	}
	out, err := a.Do(t.Context(), r)
	if err != nil || !strings.HasPrefix(out, "restarted container web (") {
		t.Fatalf("got %q, %v", out, err)
	}
	if after := pid("web"); after == before || after == 0 {
		t.Errorf("process %d became %d", before, after)
	}
	if pid("web-2") != other {
		t.Error("another container was restarted")
	}
	result, err := api.ContainerInspect(t.Context(), "web-2", client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.Target.Params["id"] = result.Container.ID[:6] // the engine would take it
	if err := a.Precheck(t.Context(), r); err == nil || !strings.Contains(err.Error(), "only resembles") {
		t.Errorf("the beginning of an id was taken for a container: %v", err)
	}
}

func startDockerd(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("dockerd")
	if err != nil {
		t.Fatalf("%v; on Debian or Ubuntu: apt-get install docker.io", err)
	}
	dir, err := os.MkdirTemp("", "upkeep-dockerd-")
	if err != nil {
		t.Fatal(err)
	}
	host := "unix://" + dir + "/docker.sock"
	var log bytes.Buffer
	cmd := exec.Command(program, "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs",
		"--data-root="+dir+"/data", "--exec-root="+dir+"/exec", "--pidfile="+dir+"/pid", "--host="+host)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-exited
		_ = os.RemoveAll(dir)
	})
	api, err := client.New(client.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); ; {
		if _, err = api.Ping(t.Context(), client.PingOptions{}); err == nil {
			return host
		}
		select {
		case <-tick.C:
		case <-exited:
			t.Fatalf("dockerd ended at once:\n%s", log.String())
		case <-end:
			t.Fatalf("dockerd is not ready: %v", err)
		}
	}
}

// importImage makes an image from nothing but one static program.
func importImage(t *testing.T, api *client.Client) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(sleeper), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "sleeper", "main.go")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "sleeper", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := api.ImageImport(t.Context(), client.ImageImportSource{Source: &layer, SourceName: "-"}, "upkeep-sleeper:test", client.ImageImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if out, err := io.ReadAll(answer); err != nil || bytes.Contains(out, []byte(`"error"`)) {
		t.Fatalf("importing the image: %s, %v", out, err)
	}
	return "upkeep-sleeper:test"
}
