package rulefile

import "strings"

// blockLine is one line of a block scalar, without indentation and line end.
type blockLine struct {
	start, end int
}

func (l blockLine) blank() bool { return l.start == l.end }

// block reads a literal (|) or folded (>) scalar whose header is at at. parent
// is the indentation of the mapping it stands in.
func (m *scalar) block(data []byte, at, parent int, folded bool) {
	indent := -1
	for at++; at < len(data) && data[at] != '\n'; at++ {
		switch c := data[at]; {
		case c >= '1' && c <= '9' && indent < 0:
			indent = parent + int(c-'0')
		case c == '#':
			for at+1 < len(data) && data[at+1] != '\n' {
				at++
			}
		}
	}
	var lines []blockLine
	for at++; at < len(data); {
		end := at
		for end < len(data) && data[end] != '\n' {
			end++
		}
		next := end + 1
		if end > at && data[end-1] == '\r' {
			end--
		}
		spaces := 0
		for at+spaces < end && data[at+spaces] == ' ' {
			spaces++
		}
		empty := at+spaces == end
		if !empty && indent < 0 {
			indent = spaces
		}
		if !empty && spaces < indent {
			break
		}
		start := end
		if indent >= 0 && at+indent < end {
			start = at + indent
		}
		lines = append(lines, blockLine{start, end})
		at = next
	}
	if folded {
		m.folded(data, lines)
		return
	}
	for _, l := range lines {
		m.copy(data, l)
		m.made("\n")
	}
}

func (m *scalar) copy(data []byte, l blockLine) {
	for i := l.start; i < l.end; i++ {
		m.add(data[i], i)
	}
}

// folded joins lines with a space, but for blank ones and ones that are
// indented further.
func (m *scalar) folded(data []byte, lines []blockLine) {
	breaks, begun, previous := 0, false, false
	for _, l := range lines {
		if l.blank() {
			breaks++
			continue
		}
		further := data[l.start] == ' ' || data[l.start] == '\t'
		switch {
		case !begun:
			m.made(strings.Repeat("\n", breaks))
		case further || previous:
			m.made(strings.Repeat("\n", breaks+1))
		case breaks == 0:
			m.made(" ")
		default:
			m.made(strings.Repeat("\n", breaks))
		}
		m.copy(data, l)
		begun, previous, breaks = true, further, 0
	}
	m.made(strings.Repeat("\n", breaks+1))
}
