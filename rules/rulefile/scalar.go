package rulefile

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// scalar maps every byte of a decoded YAML scalar to the byte of the file that
// it was read from, or to -1 where no single byte stands for it (an escape, a
// folded line).
type scalar struct {
	text []byte
	from []int
}

func (m *scalar) add(b byte, from int) {
	m.text = append(m.text, b)
	m.from = append(m.from, from)
}

func (m *scalar) made(text string) {
	for i := range len(text) {
		m.add(text[i], -1)
	}
}

var errUnmapped = errors.New("its spelling in YAML is not understood to the last byte")

// mapScalar finds where the bytes of a value stand. keyColumn is the column of
// its key. The decoding is done again and compared with what the YAML reader
// has decoded; if they differ, nothing is claimed.
func mapScalar(src *source, node *yaml.Node, keyColumn int) (*scalar, error) {
	at := src.offset(node.Line, node.Column)
	if at < 0 || at >= len(src.data) {
		return nil, errUnmapped
	}
	m := &scalar{}
	switch {
	case node.Style&yaml.DoubleQuotedStyle != 0 && src.data[at] == '"':
		m.double(src.data, at+1)
	case node.Style&yaml.SingleQuotedStyle != 0 && src.data[at] == '\'':
		m.single(src.data, at+1)
	case node.Style&yaml.LiteralStyle != 0 && src.data[at] == '|', node.Style&yaml.FoldedStyle != 0 && src.data[at] == '>':
		m.block(src.data, at, keyColumn-1, src.data[at] == '>')
	case node.Style == 0:
		m.plain(src.data, at, len(node.Value))
	default:
		return nil, errUnmapped
	}
	// A block's last line ends are kept or dropped by its header.
	if n := len(node.Value); len(m.text) > n && strings.Trim(string(m.text[n:]), "\n") == "" {
		m.text, m.from = m.text[:n], m.from[:n]
	}
	if string(m.text) != node.Value {
		return nil, errUnmapped
	}
	return m, nil
}

// span is where decoded[start:end] stands in the file, when it stands there
// byte for byte.
func (m *scalar) span(data []byte, start, end int) (int, int, bool) {
	if start < 0 || end > len(m.from) || start >= end {
		return 0, 0, false
	}
	for i := start; i < end; i++ {
		if m.from[i] < 0 || m.from[i] != m.from[start]+i-start || data[m.from[i]] != m.text[i] {
			return 0, 0, false
		}
	}
	return m.from[start], m.from[end-1] + 1, true
}

// fold reads white space in a flow scalar from at on, which may hold line
// breaks: one break becomes a space, more become one line end less. It returns
// where the text goes on.
func (m *scalar) fold(data []byte, at int) int {
	end, breaks := at, 0
	for end < len(data) && strings.IndexByte(" \t\r\n", data[end]) >= 0 {
		if data[end] == '\n' {
			breaks++
		}
		end++
	}
	switch breaks {
	case 0:
		for ; at < end; at++ {
			m.add(data[at], at)
		}
	case 1:
		m.made(" ")
	default:
		m.made(strings.Repeat("\n", breaks-1))
	}
	return end
}

func (m *scalar) plain(data []byte, at, length int) {
	for at < len(data) && len(m.text) < length {
		if strings.IndexByte(" \t\r\n", data[at]) >= 0 {
			at = m.fold(data, at)
			continue
		}
		m.add(data[at], at)
		at++
	}
}

func (m *scalar) single(data []byte, at int) {
	for at < len(data) {
		switch {
		case strings.IndexByte(" \t\r\n", data[at]) >= 0:
			at = m.fold(data, at)
		case data[at] != '\'':
			m.add(data[at], at)
			at++
		case at+1 < len(data) && data[at+1] == '\'':
			m.made("'")
			at += 2
		default:
			return
		}
	}
}

func (m *scalar) double(data []byte, at int) {
	for at < len(data) {
		switch c := data[at]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			at = m.fold(data, at)
		case c == '"':
			return
		case c != '\\':
			m.add(c, at)
			at++
		default:
			if at = m.escape(data, at+1); at < 0 {
				return
			}
		}
	}
}

// escape reads what follows a backslash; -1 gives up.
func (m *scalar) escape(data []byte, at int) int {
	if at >= len(data) {
		return -1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[data[at]]
	if digits > 0 {
		if at+1+digits > len(data) {
			return -1
		}
		r, err := strconv.ParseUint(string(data[at+1:at+1+digits]), 16, 32)
		if err != nil || r > utf8.MaxRune {
			return -1
		}
		m.made(string(rune(r)))
		return at + 1 + digits
	}
	if data[at] == '\n' || data[at] == '\r' { // a line that goes on
		for at < len(data) && strings.IndexByte(" \t\r\n", data[at]) >= 0 {
			at++
		}
		return at
	}
	text, ok := map[byte]string{
		'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
		' ': " ", '"': `"`, '/': "/", '\\': `\`, '\'': "'", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
	}[data[at]]
	if !ok {
		return -1
	}
	m.made(text)
	return at + 1
}
