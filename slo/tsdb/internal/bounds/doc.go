// Package bounds limits the cost of PromQL expressions before they are evaluated.
//
// Text holds an expression to its limits by reading its tokens, which takes time in proportion to its length: no parser, which
// recurses and compiles regular expressions, sees one that is too long, too deep, or too large. Plan walks the parsed expression
// and says how many samples its evaluation holds at least, and how many bytes each may take. An *Error names what is too
// large, its limit, and what to write instead. The package is stateless.
package bounds
