package verdict

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPagesSurviveARoundTrip(t *testing.T) {
	v, end, value := FalsePositive, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), 0.7
	in := []Page{
		{Alertname: "A", Labels: map[string]string{"alertname": "A"}, Fingerprint: "00", StartsAt: end.Add(-time.Hour), EndsAt: &end, Verdict: &v, Value: &value},
		{Alertname: "B", Labels: map[string]string{}, StartsAt: end},
	}
	var buf bytes.Buffer
	for _, p := range in {
		if err := Write(&buf, p); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(buf.String(), `"endsAt":null,"verdict":null,"value":null`) {
		t.Errorf("what is unknown must be null: %s", buf.String())
	}
	got, err := Read(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	good := `{"alertname":"A","startsAt":"2026-01-01T00:00:00Z"}`
	for in, want := range map[string]string{
		good + "\nnot json":                   "history line 2: ",
		`{"startsAt":"2026-01-01T00:00:00Z"}`: "history line 1: alertname and startsAt are required",
		`{"alertname":"A","startsAt":"2026-01-01T00:00:00Z","verdict":"wrong"}`: `history line 1: verdict "wrong" is not one of`,
	} {
		_, err := Read(strings.NewReader(in))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}
