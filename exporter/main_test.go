package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestFlagsAndExitCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		want string // in what is printed
	}{
		"version":     {[]string{"--version"}, 0, "upkeep-exporter, version"},
		"help":        {[]string{"--help"}, 0, "--web.telemetry-path"},
		"unknown":     {[]string{"--nonsense"}, 1, "unknown long flag '--nonsense', try --help"},
		"good config": {[]string{"--config.file=testdata/good.yml", "--config.check"}, 0, "the configuration is good: 5 sources, 3 API targets"},
		"bad config":  {[]string{"--config.file=config/testdata/bad-unknown-key.yml", "--config.check"}, 1, `config/testdata/bad-unknown-key.yml:2: unknown key "intervall"`},
		"no config":   {[]string{"--config.file=nowhere.yml"}, 1, "reading configuration: open nowhere.yml: no such file or directory"},
		"bad address": {[]string{"--web.listen-address=nowhere"}, 1, `listening on "nowhere"`},
		"bad path":    {[]string{"--web.telemetry-path=metrics"}, 1, `telemetry path "metrics" must begin with /`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), tc.args, &out, &out); code != tc.code || !strings.Contains(out.String(), tc.want) {
				t.Errorf("exit %d, want %d; printed:\n%s", code, tc.code, out.String())
			}
		})
	}
}
