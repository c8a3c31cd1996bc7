package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

func proposals(answers []answer) int {
	n := 0
	for _, a := range answers {
		if a.proposes() {
			n++
		}
	}
	return n
}

// render shows the answers.
func render(out io.Writer, format string, answers []answer) error {
	switch format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(map[string]any{"rules": answers})
	case "markdown":
		_, err := io.WriteString(out, markdown(answers))
		return err
	}
	var b strings.Builder
	for _, a := range answers {
		if !a.proposes() {
			continue
		}
		fmt.Fprintf(&b, "%s:%d: %s\n", a.File, a.th.Line, a.Alert)
		fmt.Fprintf(&b, "  - %s %s\n  + %s %s\n", a.Op, a.Old, a.Op, signed(a.New, a.value))
		fmt.Fprintf(&b, "  %s\n", a.Reason)
		if a.Review {
			b.WriteString("  needs review: the step is larger than may be made without a person\n")
		}
	}
	if n := proposals(answers); n == 0 {
		b.WriteString("nothing to change\n")
	}
	for _, a := range answers {
		if !a.proposes() && a.Gate != closedToTuning && a.Numbers.Pages > 0 {
			fmt.Fprintf(&b, "%s:%d: %s stays: %s\n", a.File, a.Line, a.Alert, a.Reason)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// markdown is a table as it goes into a pull request.
func markdown(answers []answer) string {
	var b strings.Builder
	b.WriteString("| Alert | Old | New | Review | Why |\n| --- | --- | --- | --- | --- |\n")
	for _, a := range answers {
		if a.proposes() {
			review := "no"
			if a.Review {
				review = "yes"
			}
			fmt.Fprintf(&b, "| %s | `%s %s` | `%s %s` | %s | %s |\n", cell(a.Alert), a.Op, a.Old, a.Op, signed(a.New, a.value), review, cell(a.Reason))
		}
	}
	return b.String()
}

func cell(s string) string { return strings.NewReplacer("|", "\\|", "\n", " ").Replace(s) }

// message is the commit: what changed, from what to what, and why.
func message(answers []answer) string {
	var b strings.Builder
	if len(answers) == 1 {
		a := answers[0]
		fmt.Fprintf(&b, "rules: %s %s %s, was %s\n\n", a.Alert, a.Op, signed(a.New, a.value), a.Old)
	} else {
		fmt.Fprintf(&b, "rules: tune %d thresholds\n\n", len(answers))
	}
	for _, a := range answers {
		fmt.Fprintf(&b, "%s (%s)\n  %s %s -> %s %s\n  %s\n", a.Alert, a.File, a.Op, a.Old, a.Op, signed(a.New, a.value), a.Reason)
		n := a.Numbers
		fmt.Fprintf(&b, "  pages: %d, false %d, true %d, not judged %d\n", n.Pages, n.False, n.True, n.Unjudged)
	}
	b.WriteString("\nTo undo: git revert this commit.\n")
	return b.String()
}
