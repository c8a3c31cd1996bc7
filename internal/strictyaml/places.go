package strictyaml

import (
	"errors"
	"fmt"
	"strconv"
)

// Places knows where in a file each value stands, and collects what is wrong
// there, so that checks that need more than one value can name a line too.
type Places struct {
	file     string
	root     *Node
	mistakes []error
}

// NewPlaces reads data, which Decode has accepted, for its places only.
func NewPlaces(file string, data []byte) (*Places, error) {
	var root Node
	if err := Decode(file, data, &root); err != nil {
		return nil, err
	}
	return &Places{file: file, root: &root}, nil
}

// Wrong notes a mistake at path, a chain of keys (string) and indices (int).
func (p *Places) Wrong(path []any, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%s:%d: %s: %w", p.file, p.line(path), pathText(path), fmt.Errorf(format, args...)))
}

// Err is all mistakes that were noted, in order; nil when there is none.
func (p *Places) Err() error { return errors.Join(p.mistakes...) }

// line is the line of path, or of the nearest thing around it that exists.
func (p *Places) line(path []any) int {
	node, line := p.root, max(p.root.Line, 1)
	if len(node.Content) > 0 {
		node = node.Content[0] // the document's only value
	}
	for _, step := range path {
		next, at := descend(node, step)
		if next == nil {
			return line
		}
		node, line = next, at
	}
	return line
}

// descend finds one step below node, and the line of its key or item.
func descend(node *Node, step any) (*Node, int) {
	switch step := step.(type) {
	case int:
		if step < len(node.Content) {
			return node.Content[step], node.Content[step].Line
		}
	case string:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	}
	return nil, 0
}

func pathText(path []any) string {
	var out string
	for _, step := range path {
		switch step := step.(type) {
		case int:
			out += "[" + strconv.Itoa(step) + "]"
		case string:
			if out != "" {
				out += "."
			}
			out += step
		}
	}
	return out
}
