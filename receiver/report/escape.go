package report

import (
	"slices"
	"strings"
	"unicode"
)

// inline makes hostile text harmless in a line of Markdown, a table cell
// included: no line break, no mark-up, no HTML, nothing that turns the reading
// direction around.
func inline(s string) string {
	var b strings.Builder
	for i, r := range strings.TrimSpace(clean(s)) {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case strings.ContainsRune("\\`*_[]|#~!", r), i == 0 && strings.ContainsRune("-+=", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	return unnumbered(b.String())
}

// unnumbered keeps text that begins like "1. " from beginning a list.
func unnumbered(s string) string {
	rest := strings.TrimLeft(s, "0123456789")
	if rest == s || (!strings.HasPrefix(rest, ".") && !strings.HasPrefix(rest, ")")) {
		return s
	}
	return s[:len(s)-len(rest)] + "\\" + rest
}

// block shows the output of an action as it is, behind a fence longer than any
// run of backticks in it.
func block(text, indent string) string {
	text = strings.TrimRight(clean(text), "\n")
	longest, ticks := 2, 0
	for _, r := range text {
		if r != '`' {
			ticks = -1
		}
		ticks++
		longest = max(longest, ticks)
	}
	fence := strings.Repeat("`", longest+1)
	var b strings.Builder
	for _, line := range slices.Concat([]string{fence + "text"}, strings.Split(text, "\n"), []string{fence}) {
		b.WriteString(indent + line + "\n")
	}
	return b.String()
}

// clean leaves one kind of line break and no control character but the tab:
// to Markdown a lone carriage return is a line break too, and to a terminal an
// escape is a command.
func clean(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
