package bounds

import "github.com/prometheus/prometheus/promql/parser"

const adviceSplit = "split it into several queries, or record a part of it"

// Text checks the limits of an expression of at most maxBytes by its tokens only. Invalid PromQL may pass: the parser refuses it, and
// reads no further than the tokens that were counted.
func Text(expr string, maxBytes int) error { return Texts([]string{expr}, maxBytes) }

// Texts holds several expressions to the limits, which they share.
func Texts(list []string, maxBytes int) error {
	length := 0
	for _, expr := range list {
		length += len(expr)
	}
	if length > maxBytes {
		return tooLarge(adviceSplit+", or raise tsdb::query::max_length", "the expression has %d bytes, and may have %d", length, maxBytes)
	}
	var count counts
	for _, expr := range list {
		count.open, count.braces = 0, false
		if err := count.read(expr); err != nil {
			return err
		}
	}
	return nil
}

// counts holds the numbers of tokens so far.
type counts struct {
	open      int // parentheses
	braces    bool
	operators int
	matchers  int
	pattern   int
}

func (c *counts) read(expr string) error {
	lexer := parser.Lex(expr)
	for {
		var item parser.Item
		lexer.NextItem(&item)
		if item.Typ == parser.EOF || item.Typ == parser.ERROR {
			return nil
		}
		if err := c.add(item); err != nil {
			return err
		}
	}
}

func (c *counts) add(item parser.Item) error {
	switch typ := item.Typ; {
	case typ == parser.LEFT_PAREN:
		c.open++
	case typ == parser.RIGHT_PAREN:
		c.open--
	case typ == parser.LEFT_BRACE:
		c.braces = true
	case typ == parser.RIGHT_BRACE:
		c.braces = false
	case typ == parser.STRING:
		if c.braces {
			c.matchers++
		}
		c.pattern += patternSize(item.Val)
	case typ.IsOperator() && !c.braces, typ == parser.LEFT_BRACKET, typ == parser.OFFSET:
		c.operators++
	}
	switch {
	case c.open > Nesting:
		return tooLarge(adviceSplit, "parentheses nest deeper than %d", Nesting)
	case c.operators > Operators:
		return tooLarge(adviceSplit+`; write a="x" or a="y" as a=~"x|y"`, "the expression has more than %d operators and ranges", Operators)
	case c.matchers > Matchers:
		return tooLarge(`write several values as one =~"x|y"`, "the expression has more than %d values in braces", Matchers)
	case c.pattern > Pattern:
		return tooLarge("write fewer repetitions such as x{1000}", "the regular expressions have more than %d instructions", Pattern)
	}
	return nil
}
