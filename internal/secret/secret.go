// Package secret holds passwords, tokens and connection strings so that they
// cannot reach a log line, an error text, a page or a JSON document by
// accident. Values are read from files; only the place that hands one to a
// server calls Reveal.
package secret

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Masked is what every rendering of a Secret shows.
const Masked = "<secret>"

// Secret is a value that prints as Masked. The zero value is an empty secret.
type Secret struct{ value string }

// New wraps a value that was already in memory, such as an environment variable.
func New(value string) Secret { return Secret{value} }

// FromFile reads a secret from a file, without the newline at its end. An
// empty file is an error: it is far more often a mistake than an empty password.
func FromFile(path string) (Secret, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("reading secret file: %w", err)
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return Secret{}, fmt.Errorf("reading secret file %q: %w", path, errors.New("the file is empty"))
	}
	return Secret{value}, nil
}

// Reveal returns the value itself.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

// Mask replaces every occurrence of the value in text, for output of programs
// that were given it.
func (s Secret) Mask(text string) string {
	if s.value == "" {
		return text
	}
	return strings.ReplaceAll(text, s.value, Masked)
}

// String, GoString, Format, LogValue, MarshalText and MarshalYAML all hide the value.
func (s Secret) String() string { return Masked }

// GoString hides the value in %#v.
func (s Secret) GoString() string { return Masked }

// Format hides the value in every verb, %q and %x among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Masked)) }

// LogValue hides the value in log lines.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Masked) }

// MarshalText hides the value in JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Masked), nil }

// MarshalYAML hides the value in YAML.
func (s Secret) MarshalYAML() (any, error) { return Masked, nil }
