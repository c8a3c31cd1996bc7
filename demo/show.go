package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// show is the only place that prints. Every act has a number and the seconds
// since the story began; colours only on a terminal.
type show struct {
	out   io.Writer
	color bool
	began time.Time
	act   int
}

func newShow(out io.Writer, color bool) *show {
	return &show{out: out, color: color, began: time.Now()}
}

const (
	bold  = "1"
	green = "32"
	red   = "31"
	grey  = "90"
)

func (s *show) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// begin starts the clock of the story, after the builds.
func (s *show) begin() { s.began = time.Now() }

// title opens an act.
func (s *show) title(format string, args ...any) {
	s.act++
	fmt.Fprintf(s.out, "\n%s\n", s.paint(bold, fmt.Sprintf("%d. %s", s.act, fmt.Sprintf(format, args...))))
}

// did reports a thing that has really happened.
func (s *show) did(format string, args ...any) {
	fmt.Fprintf(s.out, "   %s %s %s\n", s.paint(grey, fmt.Sprintf("%6.1fs", time.Since(s.began).Seconds())), s.paint(green, "ok"), fmt.Sprintf(format, args...))
}

// note says something without a claim.
func (s *show) note(format string, args ...any) {
	fmt.Fprintf(s.out, "              %s\n", fmt.Sprintf(format, args...))
}

// failed ends an act that did not happen.
func (s *show) failed(err error) {
	fmt.Fprintf(s.out, "   %s %s %v\n", s.paint(grey, fmt.Sprintf("%6.1fs", time.Since(s.began).Seconds())), s.paint(red, "FAILED"), err)
}

// text shows a document, indented.
func (s *show) text(doc string, most int) {
	lines := strings.Split(strings.TrimRight(doc, "\n"), "\n")
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(s.out, "     | ... %d more lines\n", len(lines)-most)
			return
		}
		fmt.Fprintf(s.out, "     | %s\n", s.diff(line))
	}
}

func (s *show) diff(line string) string {
	switch {
	case strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++"):
		return s.paint(green, line)
	case strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "---"):
		return s.paint(red, line)
	}
	return line
}
