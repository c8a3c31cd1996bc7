package deploy_test

import (
	"path/filepath"
	"testing"
)

// Our own programs read what the stack mounts for them.
func TestOurProgramsAcceptTheirFiles(t *testing.T) {
	for _, test := range []struct {
		program, file string
		args          func(file string) []string
	}{
		{"exporter", "exporter/exporter.yml", func(f string) []string { return []string{"--config.check", "--config.file=" + f} }},
		{"receiver", "receiver/receiver.yml", func(f string) []string { return []string{"check", f} }},
	} {
		t.Run(test.program, func(t *testing.T) {
			t.Parallel()
			binary := filepath.Join(t.TempDir(), "upkeep-"+test.program)
			command(t, "..", "go", "build", "-o", binary, "./"+test.program)
			dir, file := staged(t, test.file)
			command(t, dir, binary, test.args(file)...)
		})
	}
}
