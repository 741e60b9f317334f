// Package match holds the conditions by which an objective selects spans, calls them bad, or excludes them.
//
// Its types are Text (a condition over a text: equal, one of, a regular expression, negated), Codes (over HTTP status codes),
// Span (over a span duration), and Condition, which joins them: a span meets it if it meets all of its parts. They are plain data in one canonical form: two conditions
// that mean the same have the same JSON. A Matcher is a Text compiled. The parsers read them from YAML; the file codes.go is the one
// table of the attributes that hold an HTTP or RPC status code or a type of error, and of how their values are spelled; presets.go
// has the conditions that the presets stand for.
//
// Rules:
//   - Nothing is guessed. A text in the syntax of another tool is an error that says what to write, and so is a condition that no
//     span, or every span, would meet by mistake. Each error begins with its key.
//   - A negated condition is met by a span without the attribute; any other needs the attribute.
//   - Everything is read-only once parsed, and safe for concurrent use. Matching allocates nothing.
package match
