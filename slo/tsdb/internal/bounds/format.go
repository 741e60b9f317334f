package bounds

import "github.com/prometheus/prometheus/promql/parser"

// Format formats an expression in lines, as Prettify does. It refuses an expression that costs too much: Prettify formats each
// part again at each level above it, to see whether the part fits a line, and cannot be interrupted.
func Format(expr parser.Expr) (string, error) {
	if work := formatWork(expr); work > FormatWork {
		return "", tooCostly("format its parts", "the expression nests too deep to be formatted")
	}
	return parser.Prettify(expr), nil
}

// formatWork estimates how many bytes Prettify writes: for each part its text, and for each level within that again.
func formatWork(expr parser.Expr) int {
	work, _ := workOf(expr)
	return work
}

// workOf returns the bytes that formatting a part costs, and those that writing it once costs.
func workOf(node parser.Node) (work, once int) {
	positions := node.PositionRange()
	once = int(positions.End-positions.Start) + 1
	for child := range parser.ChildrenIter(node) {
		w, o := workOf(child)
		work, once = work+w, once+o
	}
	return work + once, once
}
