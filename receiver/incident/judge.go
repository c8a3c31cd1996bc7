package incident

import (
	"time"

	"github.com/MNS-Vic/upkeep/internal/verdict"
)

// Judge is the judgement of a check: the alert was real, or it was false.
func Judge(id int64, real bool, from Source, confidence float64, note string, at time.Time) *Judgement {
	v := verdict.FalsePositive
	if real {
		v = verdict.TruePositive
	}
	return &Judgement{Incident: id, Verdict: v, Source: from, Confidence: confidence, By: "upkeep", Note: note, At: at}
}
