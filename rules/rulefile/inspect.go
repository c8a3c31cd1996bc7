package rulefile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// inspector looks at one rule.
type inspector struct {
	rule *Rule
	src  *source
	text *scalar // nil when the expression's bytes are not known
	line int
	col  int
}

// inspect fills in what may be changed in a rule and what not.
func inspect(r *Rule, src *source, node *yaml.Node, generated bool) {
	if r.Alert == "" {
		return // a recording rule has no threshold
	}
	in := &inspector{rule: r, src: src, line: node.Line, col: node.Column}
	if node.Kind != yaml.MappingNode {
		in.refuse(-1, "the rule is an alias, an edit would change every place that uses it")
		return
	}
	key, expr := entry(node, "expr")
	if expr == nil {
		in.refuse(-1, "the expression comes from a merge key, an edit would change every rule that uses it")
		return
	}
	in.line, in.col = expr.Line, expr.Column
	switch {
	case expr.Kind != yaml.ScalarNode:
		in.refuse(-1, "the expression is an alias, an edit would change every rule that uses it")
		return
	case expr.Anchor != "" || node.Anchor != "":
		in.refuse(-1, "the expression is anchored, an edit could change another rule")
		return
	case generated:
		in.refuse(-1, "the file says that it is generated and not to be edited")
		return
	case r.Labels["tune"] == "off":
		in.refuse(-1, `the rule has the label tune: "off"`)
		return
	case isLocked(src, node):
		in.refuse(-1, "a comment locks the rule")
		return
	}
	text, err := mapScalar(src, expr, key.Column)
	if err != nil {
		in.refuse(-1, err.Error())
		return
	}
	in.text = text
	tree, err := promql().ParseExpr(r.Expr)
	if err != nil {
		in.refuse(-1, "the expression cannot be parsed: "+err.Error())
		return
	}
	in.walk(tree, nil)
	if len(r.Thresholds) == 0 && len(r.Refusals) == 0 {
		in.refuse(0, "it compares nothing with a number")
	}
}

// refuse notes why something is left alone; at is a byte of the expression, -1
// is the rule as a whole.
func (in *inspector) refuse(at int, reason string) {
	line, col := in.line, in.col
	if in.text != nil && at >= 0 {
		for ; at < len(in.text.from); at++ {
			if in.text.from[at] >= 0 {
				line, col = in.src.place(in.text.from[at])
				break
			}
		}
	}
	in.rule.Refusals = append(in.rule.Refusals, Refusal{Line: line, Column: col, Reason: reason})
}

// walk descends through what keeps a rule monotone in its number: brackets,
// both sides of "and", the left side of "unless".
func (in *inspector) walk(e parser.Expr, path []int) {
	switch e := e.(type) {
	case *parser.ParenExpr:
		in.walk(e.Expr, append(path, 0))
	case *parser.BinaryExpr:
		switch {
		case e.Op.IsComparisonOperator():
			in.comparison(e, path)
		case e.Op == parser.LAND:
			in.walk(e.LHS, append(path[:len(path):len(path)], 0))
			in.walk(e.RHS, append(path[:len(path):len(path)], 1))
		case e.Op == parser.LUNLESS:
			in.walk(e.LHS, append(path[:len(path):len(path)], 0))
			in.refuseBelow(e.RHS, "it stands on the right of unless, where stricter means more alerts")
		case e.Op == parser.LOR:
			in.refuseBelow(e, "it stands under or, where branches cannot be told apart yet")
		default:
			in.refuseBelow(e, "it stands inside arithmetic")
		}
	default:
		in.refuseBelow(e, "it stands inside a function or an aggregation")
	}
}

// refuseBelow notes every comparison below e.
func (in *inspector) refuseBelow(e parser.Node, reason string) {
	if b, ok := e.(*parser.BinaryExpr); ok && b.Op.IsComparisonOperator() {
		in.refuse(int(b.PositionRange().Start), reason)
		return
	}
	for _, c := range parser.Children(e) {
		in.refuseBelow(c, reason)
	}
}

// comparison decides about one comparison.
func (in *inspector) comparison(e *parser.BinaryExpr, path []int) {
	at := int(e.PositionRange().Start)
	number, measured, op, side := e.RHS, e.LHS, e.Op, 1
	if isConstant(e.LHS) && !isConstant(e.RHS) {
		number, measured, op, side = e.LHS, e.RHS, flip(e.Op), 0
	}
	literal, bare := number.(*parser.NumberLiteral)
	switch {
	case e.ReturnBool:
		in.refuse(at, "it compares with bool, so the alert does not depend on it alone")
	case e.Op == parser.EQLC || e.Op == parser.NEQ:
		in.refuse(at, "it tests a state, not a level")
	case isComparison(measured) || isComparison(number):
		in.refuse(at, "it is one of chained bounds")
	case !isConstant(number):
		in.refuse(at, "it compares two measured values, there is no number")
	case !hasSelector(measured):
		in.refuse(at, "it compares constants")
	case !bare:
		in.refuse(int(number.PositionRange().Start), "the number is computed, such as from an objective")
	case literal.Val == 0 || literal.Val == 1:
		in.refuse(int(literal.PosRange.Start), fmt.Sprintf("%v usually means presence or a state, not a level", literal.Val))
	default:
		in.threshold(literal, op, measured, append(path[:len(path):len(path)], side))
	}
}

var decimal = regexp.MustCompile(`^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)

func (in *inspector) threshold(n *parser.NumberLiteral, op parser.ItemType, measured parser.Expr, path []int) {
	start, end := int(n.PosRange.Start), int(n.PosRange.End)
	if start < 0 || end > len(in.rule.Expr) || start >= end {
		in.refuse(0, errUnmapped.Error())
		return
	}
	unsigned := strings.TrimLeft(in.rule.Expr[start:end], "+- \t\n")
	start = end - len(unsigned)
	text := strings.TrimRight(unsigned, " \t\n")
	end = start + len(text)
	if !decimal.MatchString(text) {
		in.refuse(start, fmt.Sprintf("the number is written as %s", text))
		return
	}
	from, to, ok := in.text.span(in.src.data, start, end)
	if !ok {
		in.refuse(start, "the number is written with escapes")
		return
	}
	if where := in.rule.names(text); where != "" {
		in.refuse(start, fmt.Sprintf("%s stands also in %s, which would then be wrong", text, where))
		return
	}
	line, col := in.src.place(from)
	in.rule.Thresholds = append(in.rule.Thresholds, Threshold{
		Path: pathText(path), Op: op.String(), Measured: measured.String(), Value: n.Val, Text: text, Start: from, End: to, Line: line, Column: col,
	})
}

// names says where else the rule's identity repeats a number.
func (r *Rule) names(text string) string {
	if repeats(r.Alert, text) {
		return "the alert's name"
	}
	for _, name := range sortedKeys(r.Labels) {
		if repeats(r.Labels[name], text) {
			return fmt.Sprintf("the label %s", name)
		}
	}
	return ""
}

// repeats reports whether a number stands in s, not as part of a longer one.
func repeats(s, number string) bool {
	digit := func(b byte) bool { return b >= '0' && b <= '9' }
	for from := 0; ; {
		i := strings.Index(s[from:], number)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(number)
		if (i == 0 || !digit(s[i-1]) && s[i-1] != '.') && (end == len(s) || !digit(s[end])) {
			return true
		}
		from = i + 1
	}
}

func pathText(path []int) string {
	words := make([]string, len(path))
	for i, n := range path {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ".")
}

func flip(op parser.ItemType) parser.ItemType {
	switch op {
	case parser.GTR:
		return parser.LSS
	case parser.LSS:
		return parser.GTR
	case parser.GTE:
		return parser.LTE
	case parser.LTE:
		return parser.GTE
	}
	return op
}

func isComparison(e parser.Expr) bool {
	b, ok := unwrap(e).(*parser.BinaryExpr)
	return ok && b.Op.IsComparisonOperator()
}

func unwrap(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}

// isConstant reports whether an expression is made of numbers only.
func isConstant(e parser.Node) bool {
	switch e := e.(type) {
	case *parser.NumberLiteral:
		return true
	case *parser.ParenExpr, *parser.UnaryExpr, *parser.BinaryExpr:
		for _, c := range parser.Children(e) {
			if !isConstant(c) {
				return false
			}
		}
		return true
	}
	return false
}

func hasSelector(e parser.Node) bool {
	if _, ok := e.(*parser.VectorSelector); ok {
		return true
	}
	for _, c := range parser.Children(e) {
		if hasSelector(c) {
			return true
		}
	}
	return false
}
