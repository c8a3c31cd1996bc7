// Package verdict holds the words in which an alert is judged and the line in
// which judged pages travel from the receiver to the rules program. It is the
// written contract between the two; neither imports the other.
package verdict

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Verdict says whether a page was worth it.
type Verdict string

// The verdicts. A page that nobody judged has none ("").
const (
	TruePositive  Verdict = "true_positive"
	FalsePositive Verdict = "false_positive"
	Benign        Verdict = "benign"
	Duplicate     Verdict = "duplicate"
	Unknown       Verdict = "unknown"
)

// All lists the verdicts a person may give, in the order they are offered.
func All() []Verdict {
	return []Verdict{TruePositive, FalsePositive, Benign, Duplicate, Unknown}
}

// Parse reads a verdict as people and programs write it.
func Parse(s string) (Verdict, error) {
	for _, v := range All() {
		if string(v) == s {
			return v, nil
		}
	}
	return "", fmt.Errorf("verdict %q is not one of true_positive, false_positive, benign, duplicate, unknown", s)
}

// Page is one judged (or not yet judged) page: one line of the history.
type Page struct {
	Alertname   string            `json:"alertname"`
	Labels      map[string]string `json:"labels"`
	Fingerprint string            `json:"fingerprint"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      *time.Time        `json:"endsAt"`  // null while it fires
	Verdict     *Verdict          `json:"verdict"` // true_positive, false_positive or null
	Value       *float64          `json:"value"`   // the measured value when it opened, null when unknown
}

// IsFalse reports whether the page was judged false.
func (p Page) IsFalse() bool { return p.Verdict != nil && *p.Verdict == FalsePositive }

// IsTrue reports whether the page was judged true.
func (p Page) IsTrue() bool { return p.Verdict != nil && *p.Verdict == TruePositive }

// maxLine bounds one history line; labels of one alert are at most 64 KiB.
const maxLine = 1 << 20

// Read reads pages as JSON lines. Unknown keys are allowed, so that a newer
// receiver can say more; an error names the line.
func Read(r io.Reader) ([]Page, error) {
	var pages []Page
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		if len(sc.Bytes()) == 0 {
			continue
		}
		var p Page
		if err := json.Unmarshal(sc.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("history line %d: %w", n, err)
		}
		if p.Alertname == "" || p.StartsAt.IsZero() {
			return nil, fmt.Errorf("history line %d: alertname and startsAt are required", n)
		}
		if p.Verdict != nil {
			if _, err := Parse(string(*p.Verdict)); err != nil {
				return nil, fmt.Errorf("history line %d: %w", n, err)
			}
		}
		pages = append(pages, p)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("reading history: %w", err)
	}
	return pages, nil
}

// Write writes one page as a JSON line.
func Write(w io.Writer, p Page) error {
	line, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding history line: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
