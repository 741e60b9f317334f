package promapi

import (
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// object is a JSON object.
type object = map[string]any

// tree is an expression as the objects that Prometheus' tree view draws.
func tree(e parser.Expr) any {
	switch e := e.(type) {
	case *parser.AggregateExpr:
		return object{
			"type": "aggregation", "op": e.Op.String(), "expr": tree(e.Expr), "param": tree(e.Param),
			"grouping": names(e.Grouping), "without": e.Without,
		}
	case *parser.BinaryExpr:
		return object{
			"type": "binaryExpr", "op": e.Op.String(), "lhs": tree(e.LHS), "rhs": tree(e.RHS),
			"matching": matching(e.VectorMatching), "bool": e.ReturnBool,
		}
	case *parser.Call:
		args := []any{}
		for _, arg := range e.Args {
			args = append(args, tree(arg))
		}
		f := object{"name": e.Func.Name, "argTypes": e.Func.ArgTypes, "variadic": e.Func.Variadic, "returnType": e.Func.ReturnType}
		return object{"type": "call", "func": f, "args": args}
	case *parser.MatrixSelector:
		selector, ok := e.VectorSelector.(*parser.VectorSelector)
		if !ok { // the parser makes no other
			return nil
		}
		o := selected("matrixSelector", selector)
		o["range"], o["rangeExpr"] = e.Range.Milliseconds(), computed(e.RangeExpr)
		return o
	case *parser.VectorSelector:
		return selected("vectorSelector", e)
	case *parser.SubqueryExpr:
		return object{
			"type": "subquery", "expr": tree(e.Expr),
			"range": e.Range.Milliseconds(), "rangeExpr": computed(e.RangeExpr),
			"offset": e.OriginalOffset.Milliseconds(), "offsetExpr": computed(e.OriginalOffsetExpr),
			"step": e.Step.Milliseconds(), "stepExpr": computed(e.StepExpr),
			"timestamp": e.Timestamp, "startOrEnd": keyword(e.StartOrEnd),
		}
	case *parser.DurationExpr:
		return computed(e)
	case *parser.NumberLiteral:
		return object{"type": "numberLiteral", "val": strconv.FormatFloat(e.Val, 'f', -1, 64)}
	case *parser.ParenExpr:
		return object{"type": "parenExpr", "expr": tree(e.Expr)}
	case *parser.StringLiteral:
		return object{"type": "stringLiteral", "val": e.Val}
	case *parser.UnaryExpr:
		return object{"type": "unaryExpr", "op": e.Op.String(), "expr": tree(e.Expr)}
	}
	return nil // there is none, as for the parameter of a sum
}

// computed is the tree of a duration that is written as an expression, nil where it is not.
func computed(e *parser.DurationExpr) any {
	if e == nil {
		return nil
	}
	return object{"type": "durationExpr", "op": e.Op.String(), "lhs": operand(e.LHS), "rhs": operand(e.RHS), "wrapped": e.Wrapped}
}

func operand(e parser.Expr) any {
	if n, ok := e.(*parser.NumberLiteral); ok && n != nil {
		return object{"type": "numberLiteral", "val": strconv.FormatFloat(n.Val, 'f', -1, 64), "duration": n.Duration}
	}
	return tree(e)
}

func selected(kind string, s *parser.VectorSelector) object {
	matchers := []object{}
	for _, m := range s.LabelMatchers {
		matchers = append(matchers, matcher(m))
	}
	return object{
		"type": kind, "name": s.Name, "offset": s.OriginalOffset.Milliseconds(), "offsetExpr": computed(s.OriginalOffsetExpr),
		"matchers": matchers, "timestamp": s.Timestamp, "startOrEnd": keyword(s.StartOrEnd),
		"anchored": s.Anchored, "smoothed": s.Smoothed,
	}
}

func matcher(m *labels.Matcher) object {
	return object{"name": m.Name, "value": m.Value, "type": m.Type.String()}
}

func matching(m *parser.VectorMatching) any {
	if m == nil {
		return nil
	}
	return object{
		"card": m.Card.String(), "labels": names(m.MatchingLabels), "on": m.On, "include": names(m.Include),
		"fillValues": object{"lhs": m.FillValues.LHS, "rhs": m.FillValues.RHS},
	}
}

// keyword is start or end, nil where neither is written.
func keyword(item parser.ItemType) any {
	if item == 0 {
		return nil
	}
	return item.String()
}

func names(list []string) []string {
	return append([]string{}, list...)
}
