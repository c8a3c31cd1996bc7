// Package incident is the receiver's domain: alerts, incidents, remediation
// runs with their steps, events and verdicts, and the two state machines that
// say what may follow what.
//
// It does no I/O, reads no clock and knows no store, page or action. Every
// other package of the receiver speaks in its types.
package incident

import (
	"maps"
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
)

// Alert is one alert as it was received, after the intake made it whole: the
// fingerprint is present, times are UTC, EndsAt is zero while it fires.
type Alert struct {
	Fingerprint  string            `json:"fingerprint"`
	Firing       bool              `json:"firing"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	ReceivedAt   time.Time         `json:"receivedAt"`
}

// Name is the alert's name, empty when it has none.
func (a Alert) Name() string { return a.Labels["alertname"] }

// Incident is one problem: all firings of one fingerprint from the first
// message until it is closed. At most one incident per fingerprint is open.
type Incident struct {
	ID           int64             `json:"id"`
	Fingerprint  string            `json:"fingerprint"`
	Alertname    string            `json:"alertname"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Priority     Priority          `json:"priority"`
	State        State             `json:"state"`

	Firing     bool      `json:"firing"`   // what the last message said
	StartsAt   time.Time `json:"startsAt"` // when the rule fired
	EndsAt     time.Time `json:"endsAt,omitzero"`
	OpenedAt   time.Time `json:"openedAt"` // first receipt: the clock of the promise
	LastSeenAt time.Time `json:"lastSeenAt"`
	Deliveries int       `json:"deliveries"` // messages that carried it, duplicates among them

	AnswerBy       time.Time `json:"answerBy"` // OpenedAt plus the priority's promise
	AcknowledgedAt time.Time `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy string    `json:"acknowledgedBy,omitempty"`
	RecoveredAt    time.Time `json:"recoveredAt,omitzero"`
	ClosedAt       time.Time `json:"closedAt,omitzero"`
	Reopened       int       `json:"reopened"`
	Escalation     string    `json:"escalation,omitempty"` // "", L1, L2 or L3

	Value       *float64         `json:"value"` // measured when it opened, nil when unknown
	Verdict     *verdict.Verdict `json:"verdict"`
	VerdictFrom Source           `json:"verdictFrom,omitempty"`
}

// Page is the incident as a line of the history that the rules program reads.
// Verdicts other than true and false are passed on as none.
func (i Incident) Page() verdict.Page {
	p := verdict.Page{
		Alertname: i.Alertname, Labels: maps.Clone(i.Labels), Fingerprint: i.Fingerprint,
		StartsAt: i.StartsAt, Value: i.Value,
	}
	if !i.EndsAt.IsZero() {
		end := i.EndsAt
		p.EndsAt = &end
	}
	if i.Verdict != nil && (*i.Verdict == verdict.TruePositive || *i.Verdict == verdict.FalsePositive) {
		v := *i.Verdict
		p.Verdict = &v
	}
	return p
}

// Run is one remediation chosen for one incident. There is at most one per
// incident and remediation, whatever is delivered how often.
type Run struct {
	ID          string    `json:"id"` // random, 128 bit, hex
	Incident    int64     `json:"incident"`
	Remediation string    `json:"remediation"`
	Target      string    `json:"target"`
	Mode        Mode      `json:"mode"`
	State       RunState  `json:"state"`
	Reason      string    `json:"reason,omitempty"` // why skipped, blocked, failed, interrupted
	Step        int       `json:"step"`             // index of the current step
	ConfigHash  string    `json:"configHash"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	RetryAt     time.Time `json:"retryAt,omitzero"` // when a blocked run is tried again
	ApprovedBy  string    `json:"approvedBy,omitempty"`
	Steps       []Step    `json:"steps,omitempty"`
}

// Step is one attempt at one step of a run. Its row is on disk before the
// action starts: that is what makes acting at most once possible.
type Step struct {
	Run        string    `json:"run"`
	Index      int       `json:"index"`
	Attempt    int       `json:"attempt"`
	Action     string    `json:"action"`
	Target     string    `json:"target"`
	State      RunState  `json:"state"` // acting, acted, act_failed, timed_out, interrupted, cancelled, succeeded, ineffective
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Output     string    `json:"output,omitempty"`
	Error      string    `json:"error,omitempty"`
}

// Mode is how far a remediation may go.
type Mode string

// The modes, from the most careful. A remediation without a mode is in dry run.
const (
	ModeOff     Mode = "off"
	ModeDryRun  Mode = "dry_run"
	ModeApprove Mode = "approve"
	ModeAuto    Mode = "auto"
)

// Rank orders modes: 0 off, 1 dry run, 2 approve, 3 auto; -1 for no mode.
func (m Mode) Rank() int {
	switch m {
	case ModeOff:
		return 0
	case ModeDryRun:
		return 1
	case ModeApprove:
		return 2
	case ModeAuto:
		return 3
	}
	return -1
}

// Ceiling is the more careful of two modes.
func (m Mode) Ceiling(limit Mode) Mode {
	if limit.Rank() < m.Rank() {
		return limit
	}
	return m
}

// Source says who judged.
type Source string

// Sources of a verdict; a human overrides every other.
const (
	SourceHuman    Source = "human"
	SourceConfirm  Source = "confirm"
	SourceVerify   Source = "verify"
	SourceImplicit Source = "implicit"
)

// Judgement is one verdict given; the newest human one counts, else the newest.
type Judgement struct {
	Incident   int64           `json:"incident"`
	Verdict    verdict.Verdict `json:"verdict"`
	Source     Source          `json:"source"`
	Confidence float64         `json:"confidence"` // 0 to 1
	By         string          `json:"by"`
	Note       string          `json:"note,omitempty"`
	At         time.Time       `json:"at"`
}

// Event is one line of the append-only record. Hash covers the event and the
// hash of the one before it.
type Event struct {
	Seq      int64             `json:"seq"`
	Incident int64             `json:"incident"`
	Run      string            `json:"run,omitempty"`
	At       time.Time         `json:"at"`
	Kind     string            `json:"kind"` // a constant of this package
	From     string            `json:"from,omitempty"`
	To       string            `json:"to,omitempty"`
	Actor    string            `json:"actor"` // "upkeep", "alertmanager", or a person
	Text     string            `json:"text,omitempty"`
	Data     map[string]string `json:"data,omitempty"`
	Hash     string            `json:"hash"`
}

// Kinds of events.
const (
	EventOpened   = "opened"
	EventReopened = "reopened"
	EventResolved = "resolved" // Alertmanager says so; not the same as recovered
	EventState    = "state"    // the incident moved
	EventRun      = "run"      // a run moved
	EventGuard    = "guard"    // a guard decided
	EventCheck    = "check"    // a confirm or verify check answered
	EventStep     = "step"     // an action began or ended
	EventAck      = "acknowledged"
	EventVerdict  = "verdict"
	EventNote     = "note"
	EventReport   = "report"
)
