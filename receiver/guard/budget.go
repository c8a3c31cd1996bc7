package guard

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// budget limits how many steps may begin in a time: on a target, by a
// remediation, and in all. What needs more repairs than that needs a person.
type budget struct{}

func (budget) Name() string { return "budget" }

// defaultBudgets of a target.
func defaultBudgets() []incident.Budget {
	return []incident.Budget{{Max: 3, Per: time.Hour}, {Max: 6, Per: 24 * time.Hour}}
}

func (budget) Decide(_ context.Context, in incident.Intent) incident.Decision {
	own := in.Budgets
	if own == nil {
		own = defaultBudgets()
	}
	var spend []incident.Budget
	var figures []string
	for _, b := range own {
		if b.Max < 1 || b.Per <= 0 {
			return never("budget %d/%s is none", b.Max, b.Per)
		}
		spend = append(spend, incident.Budget{Scope: "target", Key: in.Target.Name, Max: b.Max, Per: b.Per})
		figures = append(figures, fmt.Sprintf("%d in %s on %s", b.Max, b.Per, in.Target.Name))
	}
	spend = append(spend,
		incident.Budget{Scope: "remediation", Key: in.Remediation, Max: 10, Per: time.Hour},
		incident.Budget{Scope: "all", Max: 20, Per: time.Hour})
	figures = append(figures, "10 in 1h0m0s by "+in.Remediation, "20 in 1h0m0s in all")
	d := allow("at most %s", strings.Join(figures, ", "))
	d.Budget = spend
	return d
}

var _ Guard = budget{}
