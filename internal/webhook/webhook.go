// Package webhook holds Alertmanager's webhook document, version 4, as it
// travels on the wire, and the fingerprint of an alert. It knows nothing of
// incidents and does no I/O; the receiver's intake and the demo use it.
//
// The types are our own and not Alertmanager's, because a receiver must accept
// what Alertmanager's strict types refuse: hand-edited bodies without
// fingerprint, version or endsAt.
package webhook

import (
	"fmt"
	"sort"
	"time"
)

// Message is one delivery.
type Message struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   uint64            `json:"truncatedAlerts"`
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	Alerts            []Alert           `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
}

// The two states of an alert on the wire.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// Alert is one alert of a delivery. EndsAt is the zero time while it fires.
type Alert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// FNV-1a, 64 bit.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Fingerprint computes what Alertmanager prints: FNV-1a 64 over the sorted
// labels, each name and each value followed by the byte 0xff, as 16 hex digits.
func Fingerprint(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for name := range labels {
		names = append(names, name)
	}
	sort.Strings(names)
	h := uint64(fnvOffset)
	add := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * fnvPrime
		}
		h = (h ^ 0xff) * fnvPrime
	}
	for _, name := range names {
		add(name)
		add(labels[name])
	}
	return fmt.Sprintf("%016x", h)
}
