package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// fakeStore keeps what it takes, or is down: a disk cannot be broken to order.
type fakeStore struct {
	down bool
	got  []incident.Alert
}

func (f *fakeStore) Accept(_ context.Context, alerts []incident.Alert) error {
	if f.down {
		return fmt.Errorf("accepting alerts: %w", incident.ErrDown)
	}
	f.got = append(f.got, alerts...)
	return nil
}

const good = `{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down"},"startsAt":"2026-11-23T04:00:00+08:00","endsAt":"0001-01-01T00:00:00Z"}]}`

func TestAnswers(t *testing.T) {
	many := func(n int, one string) string {
		return `{"alerts":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
	}
	labels := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"l%d":"v",`, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	for name, tc := range map[string]struct {
		method, body, auth string
		down               bool
		code, stored       int
	}{
		"good":                     {body: good, code: 202, stored: 1},
		"no alerts in it":          {body: `{"alerts":[]}`, code: 202},
		"unknown keys":             {body: `{"new":{"x":[1]},"alerts":[{"labels":{"a":"b"},"status":"resolved","more":1}]}`, code: 202, stored: 1},
		"grafana's version":        {body: `{"version":"1","status":"firing","alerts":[{"labels":{"a":"b"}}]}`, code: 202, stored: 1},
		"empty":                    {body: "", code: 400},
		"text":                     {body: "hello", code: 400},
		"a list":                   {body: "[]", code: 400},
		"an empty object":          {body: "{}", code: 400},
		"text behind the document": {body: good + "x", code: 400},
		"two documents":            {body: good + good, code: 400},
		"space behind it":          {body: good + "\r\n ", code: 202, stored: 1},
		"null":                     {body: "null", code: 400},
		"a null alert":             {body: `{"status":"firing","alerts":[null]}`, code: 400},
		"a time past all clocks":   {body: `{"alerts":[{"labels":{"a":"b"},"status":"firing","startsAt":"9999-12-31T23:59:59-23:00"}]}`, code: 400},
		"null alerts":              {body: `{"status":"firing","alerts":null}`, code: 400},
		"wrong types":              {body: `{"alerts":[{"labels":{"a":1}}]}`, code: 400},
		"no labels":                {body: `{"status":"firing","alerts":[{"labels":{}}]}`, code: 400},
		"unknown status":           {body: `{"alerts":[{"labels":{"a":"b"},"status":"burning"}]}`, code: 400},
		"no status":                {body: `{"alerts":[{"labels":{"a":"b"}}]}`, code: 400},
		"NUL in a label":           {body: `{"status":"firing","alerts":[{"labels":{"a":"b\u0000c"}}]}`, code: 400},
		"too many alerts":          {body: many(maxAlerts+1, `{"labels":{"a":"b"},"status":"firing"}`), code: 400},
		"as many as allowed":       {body: many(maxAlerts, `{"labels":{"a":"b"},"status":"firing"}`), code: 202, stored: maxAlerts},
		"too many labels":          {body: `{"status":"firing","alerts":[{"labels":{` + labels(maxLabels+1) + `}}]}`, code: 400},
		"a label of 128 KiB":       {body: `{"status":"firing","alerts":[{"labels":{"a":"` + strings.Repeat("x", 128<<10) + `"}}]}`, code: 400},
		"over the limit":           {body: `{"alerts":[{"labels":{"a":"` + strings.Repeat("x", 2<<20) + `"}}]}`, code: 413},
		"over the limit, behind":   {body: good + strings.Repeat(" ", 2<<20), code: 413},
		"store down":               {body: good, down: true, code: 503},
		"GET":                      {method: "GET", code: 405},
		"no token":                 {body: good, auth: "-", code: 401},
		"basic instead of bearer":  {body: good, auth: "Basic abc", code: 401},
		"wrong token":              {body: good, auth: "Bearer nearly", code: 403},
	} {
		t.Run(name, func(t *testing.T) {
			store := &fakeStore{down: tc.down}
			woken := 0
			reg := prometheus.NewRegistry()
			in, err := New(Options{Store: store, BearerToken: secret.New("right"), MaxBody: 1 << 20, Registerer: reg, Accepted: func() { woken++ }})
			if err != nil {
				t.Fatal(err)
			}
			method := tc.method
			if method == "" {
				method = http.MethodPost
			}
			for _, length := range []bool{true, false} { // with Content-Length and without
				store.got, woken = nil, 0
				req := httptest.NewRequest(method, "/api/v1/webhook/", strings.NewReader(tc.body))
				if !length {
					req.ContentLength = -1
				}
				switch tc.auth {
				case "":
					req.Header.Set("Authorization", "Bearer right")
				case "-":
				default:
					req.Header.Set("Authorization", tc.auth)
				}
				w := httptest.NewRecorder()
				in.ServeHTTP(w, req)
				if w.Code != tc.code || len(store.got) != tc.stored || (woken > 0) != (tc.stored > 0) {
					t.Errorf("code %d, stored %d, woken %d: %s", w.Code, len(store.got), woken, w.Body)
				}
				if tc.code != 202 {
					var no struct{ Error, Hint string }
					if err := json.Unmarshal(w.Body.Bytes(), &no); err != nil || no.Error == "" || no.Hint == "" {
						t.Errorf("the answer does not say what to do: %s", w.Body)
					}
				}
				if (w.Header().Get("Allow") == "POST") != (tc.code == 405) {
					t.Errorf("Allow is %q", w.Header().Get("Allow"))
				}
				if strings.Contains(w.Body.String(), "right") {
					t.Error("the answer shows the token")
				}
			}
		})
	}
}

func TestAlertsAreMadeWhole(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	body := `{"status":"firing","alerts":[
		{"labels":{"alertname":"Down"},"startsAt":"2026-11-23T04:00:00+08:00","fingerprint":"ABC1"},
		{"labels":{"alertname":"Down"},"fingerprint":"../../etc"},
		{"status":"resolved","labels":{"alertname":"Down"},"endsAt":"2026-11-22T00:00:00Z"},
		{"status":"resolved","labels":{"alertname":"Down"},"startsAt":"0001-01-01T00:00:00+08:00","endsAt":null}]}`
	got, err := Decode(strings.NewReader(body), now)
	if err != nil || len(got) != 4 {
		t.Fatal(got, err)
	}
	if got[0].StartsAt.Hour() != 20 || got[0].StartsAt.Location() != time.UTC || got[0].Fingerprint != "abc1" || !got[0].EndsAt.IsZero() {
		t.Errorf("got %+v", got[0])
	}
	if got[1].Fingerprint != got[2].Fingerprint || len(got[1].Fingerprint) != 16 || !got[1].StartsAt.Equal(now) {
		t.Errorf("got %+v", got[1])
	}
	if got[2].Firing || !got[2].EndsAt.Equal(now.AddDate(0, 0, -1)) {
		t.Errorf("got %+v", got[2])
	}
	if got[3].Firing || !got[3].EndsAt.Equal(now) || !got[3].StartsAt.Equal(now) {
		t.Errorf("got %+v", got[3])
	}
}

func TestRequestsAndAlertsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	in, err := New(Options{Store: &fakeStore{}, Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	two := `{"alerts":[{"status":"firing","labels":{"a":"b"}},{"status":"resolved","labels":{"a":"c"}}]}`
	for _, body := range []string{two, two, "nonsense"} {
		in.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/api/v1/webhook", strings.NewReader(body)))
	}
	want := `
# HELP upkeep_alerts_received_total Alerts in deliveries that were accepted, copies among them.
# TYPE upkeep_alerts_received_total counter
upkeep_alerts_received_total{status="firing"} 2
upkeep_alerts_received_total{status="resolved"} 2
# HELP upkeep_webhook_requests_total Webhook requests, by the status they were answered with.
# TYPE upkeep_webhook_requests_total counter
upkeep_webhook_requests_total{code="202"} 2
upkeep_webhook_requests_total{code="400"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if _, err := New(Options{Store: &fakeStore{}, Registerer: reg}); err == nil {
		t.Error("two intakes count into one registry")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{good, "{}", `{"alerts":[{}]}`, `{"alerts":[{"labels":{"a":"\ud800"},"status":"firing"}]}`, "[", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		now := time.Unix(1, 0)
		alerts, err := Decode(strings.NewReader(body), now)
		if err != nil {
			return
		}
		for _, a := range alerts {
			if len(a.Labels) == 0 || !isPrint(a.Fingerprint) || a.StartsAt.Unix() < 0 || !a.ReceivedAt.Equal(now) || a.Firing != a.EndsAt.IsZero() {
				t.Errorf("an alert that is not whole: %+v", a)
			}
		}
	})
}
