package rulefile

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// source knows where lines begin in a file.
type source struct {
	data   []byte
	starts []int // of every line
}

func newSource(data []byte) *source {
	s := &source{data: data, starts: []int{0}}
	for i, b := range data {
		if b == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	if bytes.HasPrefix(data, []byte("\uFEFF")) {
		s.starts[0] = len("\uFEFF") // a byte order mark is in no column
	}
	return s
}

// offset is the byte at a line and column from 1; columns count characters.
// It is -1 when there is no such place.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.starts) {
		return -1
	}
	at := s.starts[line-1]
	for range column - 1 {
		if at >= len(s.data) || s.data[at] == '\n' {
			return -1
		}
		_, size := utf8.DecodeRune(s.data[at:])
		at += size
	}
	return at
}

// place is the line and column of a byte.
func (s *source) place(offset int) (line, column int) {
	line = 1
	for line < len(s.starts) && s.starts[line] <= offset {
		line++
	}
	return line, utf8.RuneCount(s.data[s.starts[line-1]:offset]) + 1
}

// line is the text of a line, without its end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.starts) {
		return ""
	}
	end := len(s.data)
	if n < len(s.starts) {
		end = s.starts[n]
	}
	return strings.TrimRight(string(s.data[s.starts[n-1]:end]), "\r\n")
}
