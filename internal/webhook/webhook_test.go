package webhook

import (
	"testing"

	"github.com/prometheus/common/model"
)

// The algorithm must stay what Prometheus' own library computes.
func TestFingerprintEqualsTheOriginal(t *testing.T) {
	for _, labels := range []map[string]string{
		{},
		{"alertname": "A"},
		{"alertname": "ApiEndpointDown", "instance": "127.0.0.1:9470", "severity": "P1", "zone": "上海"},
		{"b": "", "a": "x\xffy", "c": "\x00"},
	} {
		set := model.LabelSet{}
		for k, v := range labels {
			set[model.LabelName(k)] = model.LabelValue(v)
		}
		if got, want := Fingerprint(labels), set.Fingerprint().String(); got != want {
			t.Errorf("%v: got %s, want %s", labels, got, want)
		}
	}
}
