// Package intake takes Alertmanager's webhook deliveries: it checks who sends,
// bounds what is sent, and answers 202 only once the ledger has it on disk.
//
// It never acts on an alert and never answers with a redirect, 429 or 500,
// which Alertmanager would take for something else: 400 malformed, 401 and 403
// without the right token, 413 too large, 503 while the ledger is down or the
// program stops. The receiver mounts it at /api/v1/webhook.
package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Store is where deliveries go. Accept returns nil once all alerts are on
// disk; its errors wrap incident.ErrDown when they cannot be now.
type Store interface {
	Accept(ctx context.Context, alerts []incident.Alert) error
}

// Options of the intake.
type Options struct {
	Store       Store
	BearerToken secret.Secret // empty asks for none
	MaxBody     int64         // bytes; 0 means 10 MiB
	Registerer  prometheus.Registerer
	Logger      *slog.Logger
	Accepted    func() // called after alerts were stored; may be nil
	Now         func() time.Time
}

// Limits of one request in time: the ledger has storeTimeout to take it, so
// that the sender hears of a failure before it gives up by itself.
const (
	defaultMaxBody = 10 << 20
	storeTimeout   = 5 * time.Second
)

// Intake is the handler.
type Intake struct {
	Options
	requests *prometheus.CounterVec
	alerts   *prometheus.CounterVec
}

// New returns the handler.
func New(o Options) (*Intake, error) {
	if o.Store == nil {
		return nil, errors.New("intake: Store is missing")
	}
	if o.MaxBody < 0 {
		return nil, errors.New("intake: MaxBody is negative")
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Accepted == nil {
		o.Accepted = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in := &Intake{
		Options: o,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_webhook_requests_total", Help: "Webhook requests, by the status they were answered with.",
		}, []string{"code"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upkeep_alerts_received_total", Help: "Alerts in deliveries that were accepted, copies among them.",
		}, []string{"status"}),
	}
	if err := errors.Join(o.Registerer.Register(in.requests), o.Registerer.Register(in.alerts)); err != nil {
		return nil, fmt.Errorf("registering the metrics of the intake: %w", err)
	}
	return in, nil
}

// refusal is an answer that is no success.
type refusal struct {
	code        int
	text, hint  string
	header, val string
}

// ServeHTTP takes one delivery.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	no := in.take(w, r)
	if no == nil {
		in.requests.WithLabelValues(strconv.Itoa(http.StatusAccepted)).Inc()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	in.requests.WithLabelValues(strconv.Itoa(no.code)).Inc()
	in.Logger.Warn("a webhook delivery was refused", "code", no.code, "reason", no.text, "peer", r.RemoteAddr)
	if no.header != "" {
		w.Header().Set(no.header, no.val)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(no.code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": no.text, "hint": no.hint})
}

func (in *Intake) take(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodPost {
		return &refusal{code: http.StatusMethodNotAllowed, text: "method " + strconv.Quote(r.Method) + " is not taken here", hint: "send a POST", header: "Allow", val: http.MethodPost}
	}
	if no := in.authorize(r); no != nil {
		return no
	}
	large := &refusal{code: http.StatusRequestEntityTooLarge, text: "the body is larger than " + strconv.FormatInt(in.MaxBody, 10) + " bytes", hint: "group by more labels, or raise webhook.max_body"}
	if r.ContentLength > in.MaxBody {
		return large
	}
	alerts, err := Decode(http.MaxBytesReader(w, r.Body, in.MaxBody), in.Now())
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return large
	case err != nil:
		return &refusal{code: http.StatusBadRequest, text: err.Error(), hint: "send Alertmanager's webhook document, version 4"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	if err := in.Store.Accept(ctx, alerts); err != nil {
		return &refusal{code: http.StatusServiceUnavailable, text: err.Error(), hint: "nothing of this delivery is stored, send it again"}
	}
	for _, a := range alerts {
		status := "resolved"
		if a.Firing {
			status = "firing"
		}
		in.alerts.WithLabelValues(status).Inc()
	}
	if len(alerts) > 0 {
		in.Accepted()
	}
	return nil
}

// authorize compares the token without telling by time how much of it fits.
func (in *Intake) authorize(r *http.Request) *refusal {
	if in.BearerToken.Empty() {
		return nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return &refusal{
			code: http.StatusUnauthorized, text: "a bearer token is needed", hint: "set http_config.authorization.credentials_file in Alertmanager",
			header: "WWW-Authenticate", val: "Bearer",
		}
	}
	want, got := sha256.Sum256([]byte(in.BearerToken.Reveal())), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return &refusal{code: http.StatusForbidden, text: "the bearer token is wrong", hint: "compare it with webhook.bearer_token_file"}
	}
	return nil
}
