package rulefile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var locked = regexp.MustCompile(`#\s*(?:upkeep|threshold):\s*locked\b`)

// isLocked looks for the comment by which people keep a rule as it is: in the
// rule's lines, or in the comment right above it. One between two rules that
// is indented like the upper one may mean either and locks both.
func isLocked(src *source, node *yaml.Node) bool {
	first, last := node.Line, lastLine(src, node)
	for first > 1 && isComment(src.line(first-1)) {
		first--
	}
	for n := first; n <= last; n++ {
		if locked.MatchString(src.line(n)) {
			return true
		}
	}
	return false
}

// isComment reports whether a line holds a comment alone, after a rule's dash
// perhaps.
func isComment(line string) bool {
	text := strings.TrimLeft(strings.TrimPrefix(line, "\uFEFF"), " \t")
	if dashed, ok := strings.CutPrefix(text, "- "); ok {
		text = strings.TrimLeft(dashed, " \t")
	}
	return strings.HasPrefix(text, "#")
}

// lastLine is the last line of a rule: its values tell, and so does the
// indentation, which keeps the lines that a value is folded over and the
// comments below it.
func lastLine(src *source, node *yaml.Node) int {
	last := lastValue(node)
	for last < len(src.starts) {
		line := src.line(last + 1)
		text := strings.TrimLeft(line, " ")
		if text != "" && len(line)-len(text) < node.Column-1 {
			break
		}
		last++
	}
	return last
}

func lastValue(node *yaml.Node) int {
	last := node.Line
	for _, c := range node.Content {
		last = max(last, lastValue(c))
	}
	return last + strings.Count(node.Value, "\n")
}
