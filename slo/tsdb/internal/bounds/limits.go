package bounds

import "fmt"

// The limits that no key changes. They are far above what dashboards and rules ask, and low enough that all that takes more
// than linear time (types, positions, formatting) takes milliseconds at the limit.
const (
	// Nesting is how deep parentheses may nest.
	Nesting = 64
	// Operators is how many operators, brackets of ranges and modifiers (offset, @) an expression may have together: all of
	// them nest in the tree, as in a + b + c.
	Operators = 256
	// Matchers is how many values may stand within braces.
	Matchers = 256
	// Pattern is the size of all regular expressions of an expression together, in instructions after a{1000} is written out.
	Pattern = 20_000
	// Points is how many points of subqueries an evaluation may read: of [1h:1s] each step reads 3600.
	Points = 20_000_000
	// Steps is how many points a subquery may give one series, which PromQL's engine holds in one array. An array that grows is copied in
	// one go: no garbage collection begins or ends meanwhile, and spans wait for those. Of this many it is 3 MB, some milliseconds' work.
	Steps = 200_000
	// LabelBytes is how long label_join and label_replace may make the labels of one series.
	LabelBytes = 64 << 10
	// FormatWork bounds what formatting costs: bytes that are written, at each level anew.
	FormatWork = 64 << 20
)

// Depth is how deep the tree of an expression is at most that passes Text. A parenthesis stands for two nodes where it calls a
// function, and a range for two with the selector within.
const Depth = 2*Nesting + 2*Operators + 4

// Error says that an expression is larger than a limit, and what to write instead.
type Error struct {
	what   string // is too large, and by how much
	advice string
	cost   bool
}

// Error implements error.
func (e *Error) Error() string { return e.what + ": " + e.advice }

// Costly reports whether the expression is well formed and takes too much to evaluate, rather than to read.
func (e *Error) Costly() bool { return e.cost }

func tooLarge(advice, format string, args ...any) error {
	return &Error{what: fmt.Sprintf(format, args...), advice: advice}
}

func tooCostly(advice, format string, args ...any) error {
	return &Error{what: fmt.Sprintf(format, args...), advice: advice, cost: true}
}
