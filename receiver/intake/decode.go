package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/webhook"
	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Limits of one delivery.
const (
	maxAlerts     = 10_000
	maxLabels     = 128
	maxAlertBytes = 64 << 10
	maxPrint      = 64 // length of a fingerprint that is taken as given
)

// errMalformed marks what the sender must mend; it is answered with 400.
var errMalformed = errors.New("malformed webhook body")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errMalformed, fmt.Errorf(format, args...))
}

// message is the part of a delivery that is read. Alerts is a pointer so that
// a body without them, or with null, is told from an empty list.
type message struct {
	Status string           `json:"status"`
	Alerts *[]webhook.Alert `json:"alerts"`
}

// Decode reads one webhook body and makes its alerts whole: fingerprints are
// computed where they are absent, times are UTC, missing ones are the time of
// receipt, a status that an alert lacks is the message's. now stands for the time of receipt.
func Decode(r io.Reader, now time.Time) ([]incident.Alert, error) {
	dec := json.NewDecoder(r)
	var m message
	if err := dec.Decode(&m); err != nil {
		return nil, unreadable(err)
	}
	if err := ends(dec); err != nil {
		return nil, err
	}
	if m.Alerts == nil {
		return nil, malformed("it has no list of alerts")
	}
	if n := len(*m.Alerts); n > maxAlerts {
		return nil, malformed("it has %d alerts, at most %d are taken", n, maxAlerts)
	}
	out := make([]incident.Alert, 0, len(*m.Alerts))
	for i, a := range *m.Alerts {
		whole, err := complete(a, m.Status, now)
		if err != nil {
			return nil, malformed("alert %d: %w", i+1, err)
		}
		out = append(out, whole)
	}
	return out, nil
}

// ends makes sure that nothing but space follows the document.
func ends(dec *json.Decoder) error {
	switch token, err := dec.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return unreadable(err)
	default:
		return malformed("%v follows the document", token)
	}
}

// unreadable tells a body over the limit from one that is no JSON.
func unreadable(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	return malformed("%w", err)
}

func complete(a webhook.Alert, status string, now time.Time) (incident.Alert, error) {
	var none incident.Alert
	if len(a.Labels) == 0 {
		return none, errors.New("it has no labels")
	}
	if len(a.Labels) > maxLabels {
		return none, fmt.Errorf("it has %d labels, at most %d are taken", len(a.Labels), maxLabels)
	}
	size := len(a.GeneratorURL)
	for _, set := range []map[string]string{a.Labels, a.Annotations} {
		for name, value := range set {
			if strings.ContainsRune(name+value, 0) {
				return none, fmt.Errorf("label or annotation %q holds a NUL byte", name)
			}
			size += len(name) + len(value)
		}
	}
	if size > maxAlertBytes {
		return none, fmt.Errorf("its labels and annotations are %d bytes, at most %d are taken", size, maxAlertBytes)
	}
	if a.Status == "" {
		a.Status = status
	}
	out := incident.Alert{
		Fingerprint: strings.ToLower(a.Fingerprint), Firing: a.Status == webhook.Firing, Labels: a.Labels, Annotations: a.Annotations,
		GeneratorURL: a.GeneratorURL, ReceivedAt: now.UTC(),
	}
	var err error
	if out.StartsAt, err = instant("startsAt", a.StartsAt, out.ReceivedAt); err != nil {
		return none, err
	}
	switch a.Status {
	case webhook.Firing:
	case webhook.Resolved:
		if out.EndsAt, err = instant("endsAt", a.EndsAt, out.ReceivedAt); err != nil {
			return none, err
		}
	default:
		return none, fmt.Errorf("status %q is neither firing nor resolved", a.Status)
	}
	if !isPrint(out.Fingerprint) {
		out.Fingerprint = webhook.Fingerprint(a.Labels)
	}
	return out, nil
}

// lastYear is the last whole year that fits the ledger's nanoseconds.
const lastYear = 2261

// instant is t in UTC. A time before 1970 is no time at all, such as the zero
// time, in whichever zone it was written; missing stands in for it.
func instant(field string, t, missing time.Time) (time.Time, error) {
	t = t.UTC()
	switch {
	case t.Year() > lastYear:
		return t, fmt.Errorf("%s is in the year %d, the last one taken is %d", field, t.Year(), lastYear)
	case t.Unix() < 0:
		return missing, nil
	}
	return t, nil
}

// isPrint accepts any hexadecimal text: hand-edited bodies have wrong
// fingerprints, and a wrong one still tells alerts apart.
func isPrint(s string) bool {
	return s != "" && len(s) <= maxPrint && strings.Trim(s, "0123456789abcdef") == ""
}
