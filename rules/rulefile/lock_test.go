package rulefile

import (
	"strings"
	"testing"
)

func TestWhichRuleACommentLocks(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		a, b bool
	}{
		"none":                        {"  - alert: A\n    expr: up > 5\n  - alert: B\n    expr: up > 6\n", false, false},
		"above":                       {"  # upkeep: locked\n  - alert: A\n    expr: up > 5\n  - alert: B\n    expr: up > 6\n", true, false},
		"above, further up":           {"  # upkeep: locked\n  # for good\n  - alert: A\n    expr: up > 5\n  - alert: B\n    expr: up > 6\n", true, false},
		"after the dash":              {"  - # upkeep: locked\n    alert: A\n    expr: up > 5\n  - alert: B\n    expr: up > 6\n", true, false},
		"beside":                      {"  - alert: A\n    expr: up > 5 #threshold: locked\n  - alert: B\n    expr: up > 6\n", true, false},
		"end of a plain on two lines": {"  - alert: A\n    expr: up\n      > 5 # threshold: locked\n  - alert: B\n    expr: up > 6\n", true, false},
		"end of quotes on two lines":  {"  - alert: A\n    expr: 'up\n      > 5' # threshold: locked\n  - alert: B\n    expr: up > 6\n", true, false},
		"below the block":             {"  - alert: A\n    expr: |\n      up > 5\n\n    # upkeep: locked\n    for: 5m\n  - alert: B\n    expr: up > 6\n", true, false},
		"above the next":              {"  - alert: A\n    expr: up > 5\n\n  # upkeep: locked\n  - alert: B\n    expr: up > 6\n", false, true},
		"between, may mean either":    {"  - alert: A\n    expr: up > 5\n    # upkeep: locked\n  - alert: B\n    expr: up > 6\n", true, true},
		"end of the file":             {"  - alert: A\n    expr: up > 5\n  - alert: B\n    expr: up > 6\n    # upkeep: locked", false, true},
		"another comment":             {"  # was locked once\n  - alert: A\n    expr: up > 5 # upkeep: lockedout\n  - alert: B\n    expr: up > 6\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []string{"\n", "\r\n"} {
				rules := parse(t, strings.ReplaceAll(one(tc.in), "\n", end)).Groups[0].Rules
				for i, want := range []bool{tc.a, tc.b} {
					if got := len(rules[i].Thresholds) == 0; got != want {
						t.Errorf("%s with %q: locked is %v, want %v: %+v", rules[i].Alert, end, got, want, rules[i].Refusals)
					}
				}
			}
		})
	}
}
