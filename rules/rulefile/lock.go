package rulefile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var locked = regexp.MustCompile(`#\s*(?:upkeep|threshold):\s*locked\b`)

// isLocked looks for the comment by which people keep a rule as it is: in the
// rule's lines, or in the comment right above it.
func isLocked(src *source, node *yaml.Node) bool {
	first, last := node.Line, lastLine(src, node)
	for first > 1 && isCommentAbove(src.line(first-1), node.Column-1) {
		first--
	}
	for n := first; n <= last; n++ {
		if locked.MatchString(src.line(n)) {
			return true
		}
	}
	return false
}

// isCommentAbove reports whether a line above a rule, whose keys are indented
// by indent, is a comment of that rule. A comment indented like the keys is the
// last line of the rule before, unless it begins with the rule's own dash.
func isCommentAbove(line string, indent int) bool {
	text := strings.TrimLeft(strings.TrimPrefix(line, "\uFEFF"), " \t")
	if dashed, ok := strings.CutPrefix(text, "- "); ok {
		return strings.HasPrefix(strings.TrimLeft(dashed, " \t"), "#")
	}
	return strings.HasPrefix(text, "#") && len(line)-len(text) < indent
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
