// Package strictyaml decodes configuration: an unknown key, a repeated key, a
// second document or a value of the wrong type is an error that names the file
// and the line. It never fills in defaults and never expands variables. Every
// program's config package uses it; rule files are not configuration and go
// through rules/rulefile.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node is a YAML node, for configuration types that report a line themselves.
type Node = yaml.Node

// DecodeFile reads the file at path and decodes it into out, a pointer to a
// struct. An empty file leaves out as it is.
func DecodeFile(path string, out any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading configuration: %w", err)
	}
	return Decode(path, data, out)
}

// Decode decodes data into out; name stands for the file in errors.
func Decode(name string, data []byte, out any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(out); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return locate(name, err)
	}
	var rest yaml.Node
	switch err := dec.Decode(&rest); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return locate(name, err)
	default:
		return fmt.Errorf("%s:%d: a second YAML document begins here, only one is read", name, rest.Line)
	}
}

// ErrorAt makes an error at a node's place in the file.
func ErrorAt(node *Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %w", node.Line, fmt.Errorf(format, args...))
}

var (
	linePrefix  = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	unknownKey  = regexp.MustCompile(`^field (\S+) not found in type .+$`)
	repeatedKey = regexp.MustCompile(`^mapping key ("[^"]*") already defined at line (\d+)$`)
)

// locate turns a decoder's error into one error per mistake, each with file and line.
func locate(name string, err error) error {
	lines := []string{err.Error()}
	var typeErr *yaml.TypeError
	if errors.As(err, &typeErr) {
		lines = typeErr.Errors
	}
	var out []error
	for _, text := range lines {
		place := name
		if m := linePrefix.FindStringSubmatch(text); m != nil {
			place += ":" + m[1]
			text = strings.TrimPrefix(text, m[0])
		}
		text = strings.TrimPrefix(text, "yaml: ")
		if m := unknownKey.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("unknown key %q, check its spelling and its indentation", m[1])
		} else if m := repeatedKey.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("key %s stands here again, first on line %s", m[1], m[2])
		}
		out = append(out, fmt.Errorf("%s: %s", place, text))
	}
	return errors.Join(out...)
}
