package report

import (
	"strings"
	"testing"
)

func TestInline(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 5 min":         "plain text, 5 min",
		"db-1:9100":                 "db-1:9100",
		"a\r\nb\rc\nd\te":           "a b c d e",
		"- item":                    "\\- item",
		"---":                       "\\---",
		"=== title":                 "\\=== title",
		"\n- item":                  "\\- item",
		"12. item":                  "12\\. item",
		"3) item":                   "3\\) item",
		"0.5 of 1":                  "0\\.5 of 1",
		"<b>&amp;":                  "&lt;b&gt;&amp;amp;",
		"![i](http://x) | `c` *e":   "\\!\\[i\\](http://x) \\| \\`c\\` \\*e",
		"\x00\x1b[31m\u202ered\xff": "\uFFFD\uFFFD\\[31m\uFFFDred\uFFFD",
	} {
		if got := inline(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Every line of an output stays in its fence, which nothing in it can close.
func TestBlock(t *testing.T) {
	got := block("one\r<script>\r\n````\n\x1b[2Jend\n\n", "  ")
	want := "  `````text\n  one\n  <script>\n  ````\n  \uFFFD[2Jend\n  `````\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"a", "\n- x", " 1. x", "```", "<\x00>", "\u2066"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := inline(s)
		if strings.ContainsAny(line, "\r\n\x00<>") || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "+ ") {
			t.Errorf("%q became %q", s, line)
		}
		lines := strings.Split(strings.TrimSuffix(block(s, "\t"), "\n"), "\n")
		fence := strings.TrimSuffix(lines[0], "text")
		for i, l := range lines {
			if !strings.HasPrefix(l, "\t") || (i > 0 && i < len(lines)-1 && strings.Contains(l, fence[1:])) {
				t.Errorf("%q became %q", s, lines)
			}
		}
	})
}
