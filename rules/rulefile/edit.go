package rulefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// Edit replaces the number of one threshold. It returns the new bytes of the
// file and the number as it was written; an error means that the edit could
// not be proven to change that number and nothing else.
func (f *File) Edit(rule Rule, th Threshold, to float64) (data []byte, text string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("editing %s:%d:%d: alert %q: %w", f.Name, th.Line, th.Column, rule.Alert, err)
		}
	}()
	switch {
	case math.IsNaN(to) || math.IsInf(to, 0):
		return nil, "", fmt.Errorf("%v is no threshold", to)
	case to != 0 && math.Signbit(to) != math.Signbit(th.Value):
		return nil, "", fmt.Errorf("%v has another sign than %v, which stands outside the number", to, th.Value)
	case th.Start < 0 || th.End > len(f.Data) || th.Start >= th.End || string(f.Data[th.Start:th.End]) != th.Text:
		return nil, "", errors.New("the number is not where it was; read the file again")
	}
	text = Notation(th.Text, math.Abs(to))
	data = slices.Concat(f.Data[:th.Start], []byte(text), f.Data[th.End:])
	if err := f.prove(data, rule, th, text, to); err != nil {
		return nil, "", err
	}
	return data, text, nil
}

// prove checks the four obligations: no other byte changed, no other value
// changed, no other part of the expression changed, and Prometheus loads it.
func (f *File) prove(data []byte, rule Rule, th Threshold, text string, to float64) error {
	tail := len(f.Data) - th.End
	if !bytes.Equal(data[:th.Start], f.Data[:th.Start]) || !bytes.Equal(data[len(data)-tail:], f.Data[th.End:]) || len(data) != th.Start+len(text)+tail {
		return errors.New("a byte beside the number would change")
	}
	before, err := decode(f.Data)
	if err != nil {
		return err
	}
	after, err := decode(data)
	if err != nil {
		return fmt.Errorf("the file could not be read any more: %w", err)
	}
	var changed []string
	differ(before, after, "", &changed)
	if want := fmt.Sprintf("/0/groups/%d/rules/%d/expr", rule.GroupIndex, rule.Index); len(changed) != 1 || changed[0] != want {
		return fmt.Errorf("other values than its expression would change: %q", changed)
	}
	groups, err := load(data)
	if err != nil {
		return fmt.Errorf("prometheus would not load it: %w", err)
	}
	return sameTree(rule.Expr, groups.Groups[rule.GroupIndex].Rules[rule.Index].Expr, th.Path, to)
}

// decode reads all documents of a file.
func decode(data []byte) ([]any, error) {
	var docs []any
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc any
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// differ lists the places at which two values are not alike.
func differ(a, b any, at string, out *[]string) {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			*out = append(*out, at)
			return
		}
		for key := range a {
			other, ok := b[key]
			if !ok {
				*out = append(*out, at+"/"+key)
				continue
			}
			differ(a[key], other, at+"/"+key, out)
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			*out = append(*out, at)
			return
		}
		for i := range a {
			differ(a[i], b[i], at+"/"+strconv.Itoa(i), out)
		}
	default:
		if !reflect.DeepEqual(a, b) {
			*out = append(*out, at)
		}
	}
}

// sameTree checks that two expressions differ in the number at path alone.
func sameTree(before, after, path string, to float64) error {
	old, err := promql().ParseExpr(before)
	if err != nil {
		return err
	}
	now, err := promql().ParseExpr(after)
	if err != nil {
		return err
	}
	number, err := follow(old, path)
	if err != nil {
		return err
	}
	written, err := follow(now, path)
	if err != nil {
		return err
	}
	if written.Val != to {
		return fmt.Errorf("the number would read back as %v, not %v", written.Val, to)
	}
	number.Val = to
	if old.String() != now.String() {
		return errors.New("another part of the expression would change")
	}
	return nil
}

// follow finds the number at a path.
func follow(e parser.Expr, path string) (*parser.NumberLiteral, error) {
	var node parser.Node = e
	for word := range strings.SplitSeq(path, ".") {
		i, err := strconv.Atoi(word)
		children := parser.Children(node)
		if err != nil || i < 0 || i >= len(children) {
			return nil, fmt.Errorf("the expression has nothing at %q", path)
		}
		node = children[i]
	}
	n, ok := node.(*parser.NumberLiteral)
	if !ok {
		return nil, fmt.Errorf("the expression has no number at %q", path)
	}
	return n, nil
}

// Notation writes a value, which is not negative, the way its neighbour old is
// written: with an exponent or not, with as many decimals at least. The text
// reads back to exactly value.
func Notation(old string, value float64) string {
	if i := strings.IndexAny(old, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(old[i+1:]); err == nil {
			mantissa := strconv.FormatFloat(value/math.Pow10(exp), 'f', -1, 64)
			if text := mantissa + old[i:]; reads(text, value) && len(mantissa) <= 17 {
				return text
			}
		}
		text := strconv.FormatFloat(value, 'e', -1, 64)
		mantissa, exp, _ := strings.Cut(text, "e")
		n, err := strconv.Atoi(exp)
		if err == nil && reads(mantissa+string(old[i])+strconv.Itoa(n), value) {
			return mantissa + string(old[i]) + strconv.Itoa(n)
		}
	}
	text := strconv.FormatFloat(value, 'f', -1, 64)
	_, oldDecimals, _ := strings.Cut(old, ".")
	if strings.ContainsAny(old, "eE") {
		oldDecimals = ""
	}
	whole, decimals, _ := strings.Cut(text, ".")
	if missing := len(oldDecimals) - len(decimals); missing > 0 {
		text = whole + "." + decimals + strings.Repeat("0", missing)
	}
	if strings.HasPrefix(old, ".") && strings.HasPrefix(text, "0.") {
		text = text[1:]
	}
	return text
}

func reads(text string, value float64) bool {
	got, err := strconv.ParseFloat(text, 64)
	return err == nil && got == value
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// SameExpr reports whether two expressions are the same but for layout.
func SameExpr(a, b string) bool {
	x, errX := promql().ParseExpr(a)
	y, errY := promql().ParseExpr(b)
	return errX == nil && errY == nil && x.String() == y.String()
}
