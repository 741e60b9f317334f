package bounds

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Evaluation is the range that an expression is evaluated over.
type Evaluation struct {
	Start, End time.Time
	Step       time.Duration // 0 is at Start only
	// SubqueryStep is the step of subqueries that have none.
	SubqueryStep time.Duration
}

// Cost is what an evaluation takes at least, or in Bytes' case at most.
type Cost struct {
	// Samples is how many samples are held at once if each selector finds one series.
	Samples int64
	// Bytes is what each sample that is held may take, with its share of the labels of its series.
	Bytes int64
}

// SampleBytes is what a sample takes while it is evaluated: itself, its copies in windows and results, two counters of its step,
// and what slices have in reserve as they grow.
const SampleBytes = 96

// seriesBytes is what the labels of a series take.
const seriesBytes = 384

// Plan returns the cost of an evaluation, or an *Error where it is more than maxSamples, or more than any may be.
func Plan(expr parser.Expr, e Evaluation, maxSamples int64) (Cost, error) {
	w := walk{subqueryStep: float64(max(1, e.SubqueryStep.Milliseconds())), share: math.Inf(1)}
	at := grid{step: 1}
	if e.Step > 0 {
		if e.Step < time.Millisecond {
			return Cost{}, tooLarge("write 1ms or more", "a step of %s is shorter than a millisecond", e.Step)
		}
		at = grid{span: float64(e.End.UnixMilli()) - float64(e.Start.UnixMilli()), step: float64(e.Step.Milliseconds())}
	}
	need := w.visit(expr, at)
	labels := need.labels
	switch {
	case w.err != nil:
		return Cost{}, w.err
	case need.peak > float64(maxSamples):
		return Cost{}, tooCostly("take a larger step or a shorter range, raise tsdb::query::memory, or record the expression inside as a metric",
			"the query needs at least %.0f samples in memory, and %d are allowed", need.peak, maxSamples)
	case w.read > Points:
		return Cost{}, tooCostly("take a larger step, or a shorter range, of the subquery or of the query",
			"the query reads %.0f points of subqueries for each series, and %d are allowed", w.read, Points)
	case labels > LabelBytes:
		return Cost{}, tooCostly("join and replace less", "labels may become %.0f bytes long, and %d are allowed", labels, LabelBytes)
	}
	bytes := SampleBytes + (seriesBytes+max(0, labels-baseLabels))/w.share
	return Cost{Samples: int64(math.Ceil(need.peak)), Bytes: int64(math.Ceil(bytes))}, nil
}

// maxShare is how many samples share the labels of their series at most: series come and go within a range.
const maxShare = 16

// baseLabels is how long the labels of a stored series are taken to be, in bytes.
const baseLabels = 256

// grid is the steps of an evaluation, in ms.
type grid struct{ span, step float64 }

func (g grid) steps() float64 { return math.Floor(max(0, g.span)/g.step) + 1 }

// need is what a part of an expression takes: samples held while it is evaluated and after, and the length of a series' labels.
type need struct{ peak, held, labels float64 }

// walk visits the tree of an expression.
type walk struct {
	subqueryStep float64 // ms
	read         float64 // points of subqueries
	share        float64 // samples of a selected series, where it has the fewest
	err          error
}

func (w *walk) visit(expr parser.Expr, at grid) need {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return w.visit(e.Expr, at)
	case *parser.StepInvariantExpr:
		return w.visit(e.Expr, at)
	case *parser.UnaryExpr:
		return w.visit(e.Expr, at)
	case *parser.AggregateExpr:
		if e.Param == nil {
			return w.several(at, e.Expr)
		}
		n := w.several(at, e.Param, e.Expr)
		if e.Op == parser.COUNT_VALUES {
			n.labels += baseLabels
		}
		return n
	case *parser.BinaryExpr:
		return w.several(at, e.LHS, e.RHS)
	case *parser.Call:
		return w.call(e, at)
	case *parser.SubqueryExpr:
		return w.subquery(e, at)
	case *parser.StringLiteral:
		return need{}
	case *parser.VectorSelector, *parser.MatrixSelector:
		w.share = min(w.share, at.steps(), maxShare)
		return need{peak: at.steps(), held: at.steps(), labels: baseLabels}
	default: // numbers
		return need{peak: at.steps(), held: at.steps(), labels: baseLabels}
	}
}

// several visits what is evaluated one after another and then put together, with as many samples as the steps have.
func (w *walk) several(at grid, list ...parser.Expr) need {
	var all need
	for _, expr := range list {
		n := w.visit(expr, at)
		all.peak = max(all.peak, all.held+n.peak)
		all.held += n.held
		all.labels = max(all.labels, n.labels)
	}
	return need{peak: max(all.peak, all.held+at.steps()), held: at.steps(), labels: all.labels}
}

func (w *walk) call(e *parser.Call, at grid) need {
	n := w.several(at, e.Args...)
	for _, arg := range e.Args {
		if s, ok := unwrap(arg).(*parser.SubqueryExpr); ok {
			w.read += at.steps() * w.within(s, at).ofRange(s) * weight(e.Func.Name)
		}
	}
	switch e.Func.Name {
	case "label_replace":
		if len(e.Args) == 5 {
			n.labels += grown(e.Args[2], n.labels)
		}
	case "label_join":
		separators := 0.0
		if len(e.Args) > 2 {
			separators = textLength(e.Args[2]) * float64(len(e.Args))
		}
		n.labels += float64(max(0, len(e.Args)-3))*n.labels + separators
	case "info":
		n.labels += baseLabels
	}
	return n
}

// subquery visits the expression inside at the steps of the subquery, which cover the range before each step of the outside.
func (w *walk) subquery(e *parser.SubqueryExpr, at grid) need {
	if e.Step > 0 && e.Step < time.Millisecond && w.err == nil {
		w.err = tooLarge("write 1ms or more", "a subquery's step of %s is shorter than a millisecond", e.Step)
	}
	if e.Timestamp != nil || e.StartOrEnd != 0 { // is evaluated once
		at = grid{step: 1}
	}
	inner := w.within(e, at)
	if inner.steps() > Steps && w.err == nil {
		w.err = tooCostly("take a larger step, or a shorter range, of the subquery or of the query, or record the expression inside as a metric",
			"a subquery has %.0f steps, and %d are allowed", inner.steps(), Steps)
	}
	n := w.visit(e.Expr, inner)
	n.peak += n.held / 4 // counters of each step
	return n
}

// within is the grid of a subquery.
func (w *walk) within(e *parser.SubqueryExpr, at grid) grid {
	step := w.subqueryStep
	if e.Step > 0 {
		step = max(1, float64(e.Step.Milliseconds()))
	}
	return grid{span: max(0, at.span) + float64(e.Range.Milliseconds()), step: step}
}

// ofRange is how many of the steps one range of a subquery has.
func (g grid) ofRange(e *parser.SubqueryExpr) float64 {
	return math.Floor(float64(e.Range.Milliseconds())/g.step) + 1
}

// weight returns how many times a function reads its points; more than once if it sorts them.
func weight(function string) float64 {
	switch function {
	case "quantile_over_time":
		return 8
	case "mad_over_time":
		return 16
	default:
		return 1
	}
}

// grown returns by how many bytes a replacement may lengthen labels: each of its references stands for a whole value.
func grown(replacement parser.Expr, length float64) float64 {
	literal, ok := unwrap(replacement).(*parser.StringLiteral)
	if !ok {
		return 0
	}
	return float64(len(literal.Val)) + float64(strings.Count(literal.Val, "$"))*length
}

func textLength(e parser.Expr) float64 {
	if literal, ok := unwrap(e).(*parser.StringLiteral); ok {
		return float64(len(literal.Val))
	}
	return 0
}

// unwrap removes parentheses.
func unwrap(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}
