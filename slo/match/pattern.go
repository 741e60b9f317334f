package match

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxPattern bounds the length of a pattern in bytes: what a person wrote is shorter.
const maxPattern = 4096

// compilePattern compiles an anchored pattern, in which a dot matches a line feed too, as in Prometheus. The error says where the
// mistake is.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes, more than %d; write a shorter one", len(pattern), maxPattern)
	}
	if _, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL); err != nil {
		return nil, fmt.Errorf("%q is no RE2 regular expression: %s; correct it, or write %q for this very text",
			pattern, mistake(pattern, err), opEqual+pattern)
	}
	return regexp.Compile(anchored(pattern))
}

func anchored(pattern string) string { return "^(?s:" + pattern + ")$" }

// mistake describes an error of a pattern with its position, counted in bytes from 1.
func mistake(pattern string, err error) string {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	text := wrong.Code.String()
	if strings.HasPrefix(wrong.Expr, "(?=") || strings.HasPrefix(wrong.Expr, "(?!") || strings.HasPrefix(wrong.Expr, "(?<") {
		text = "RE2 has no look-ahead and look-behind"
	}
	if wrong.Code == syntax.ErrMissingParen {
		return fmt.Sprintf("%s of the one at position %d", text, unclosed(pattern)+1)
	}
	at := strings.Index(pattern, wrong.Expr)
	switch wrong.Code {
	case syntax.ErrTrailingBackslash:
		at = len(pattern) - 1
	case syntax.ErrUnexpectedParen:
		at = unopened(pattern)
	}
	if at < 0 {
		return fmt.Sprintf("%s in %q", text, wrong.Expr)
	}
	return fmt.Sprintf("%s at position %d, %q", text, at+1, pattern[at:])
}

// unclosed returns the offset of the last parenthesis that is not closed.
func unclosed(pattern string) int {
	open, _ := parentheses(pattern)
	if len(open) == 0 {
		return 0
	}
	return open[len(open)-1]
}

// unopened returns the offset of the first closing parenthesis without an opening one, -1 if there is none.
func unopened(pattern string) int {
	_, at := parentheses(pattern)
	return at
}

// parentheses returns the offsets of the parentheses that are open at the end, or at the first closing one too many.
func parentheses(pattern string) (open []int, extra int) {
	class := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				i++
			}
			if i+1 < len(pattern) && pattern[i+1] == ']' {
				i++
			}
		case c == '(':
			open = append(open, i)
		case c == ')':
			if len(open) == 0 {
				return nil, i
			}
			open = open[:len(open)-1]
		}
	}
	return open, -1
}
