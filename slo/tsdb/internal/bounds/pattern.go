package bounds

import (
	"regexp/syntax"

	"github.com/prometheus/prometheus/util/strutil"
)

// patternSize estimates how many instructions a quoted string compiles to as a regular expression; 0 if it is none. Any string
// counts, because functions take regular expressions too.
func patternSize(quoted string) int {
	text, err := strutil.Unquote(quoted)
	if err != nil {
		return 0
	}
	re, err := syntax.Parse(text, syntax.Perl|syntax.DotNL) // writes no repetition out, and bounds how deep it recurses
	if err != nil {
		return 0
	}
	return expanded(re)
}

// maxSize stands for all larger sizes, so that products do not overflow.
const maxSize = 1 << 20

// expanded returns the size of an expression with its repetitions written out, at most maxSize.
func expanded(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)/8 // a class has two runes for each of its ranges; a literal is cheap
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		size = min(maxSize, size+expanded(sub))
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return min(maxSize, size)
}
