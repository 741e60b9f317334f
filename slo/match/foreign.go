package match

import (
	"fmt"
	"regexp"
	"strings"
)

// foreignForm is a form that a text has in another tool.
type foreignForm struct {
	form  *regexp.Regexp
	looks string
	// instead says what to write. s is the whole text, m the form's groups.
	instead func(s string, m []string) string
}

// foreignForms are tried in their order.
var foreignForms = []foreignForm{
	{regexp.MustCompile(`^\s|\s$`), "begins or ends with a space", fixed("write it without")},
	{regexp.MustCompile(`(?i)^(re|regex|regexp|rx|pattern|glob|like|prefix|suffix|contains|exact|equals|eq|not|ne|neq|in)[:=]\s*(.*)$`),
		"has a prefix of another tool", func(_ string, m []string) string { return ofPrefix(strings.ToLower(m[1]), m[2]) }},
	{regexp.MustCompile(`^/(.+)/i?$`), "has the slashes of a regular expression of another tool", func(s string, m []string) string {
		if strings.HasSuffix(s, "i") {
			return asPattern("(?i)" + m[1])
		}
		return asPattern(m[1])
	}},
	{regexp.MustCompile(`^~\s*(.*)$`), "has an operator of another tool", func(_ string, m []string) string { return asPattern(m[1]) }},
	{regexp.MustCompile(`^!\s*(.*)$`), "has an operator of another tool", func(_ string, m []string) string { return fmt.Sprintf("write %q", opNot+m[1]) }},
	{regexp.MustCompile(`^[<>]`), "compares numbers, but is compared as a text", fixed("use the conditions duration or http.response.status_code, or a regular expression after =~")},
	{regexp.MustCompile(`^(?:'(.*)'|"(.*)")$`), "has quotes within those of YAML", func(_ string, m []string) string { return "write " + m[1] + m[2] + " without them" }},
	{regexp.MustCompile(`\{\{|\}\}`), "is a template, which is not filled in here", fixed("write the text itself")},
	{regexp.MustCompile(`\$\{|^\$\w+$`), "is a variable, which is not replaced here", fixed("write its value")},
	{regexp.MustCompile(`^\{.*[=!]~?\s*".*\}$| (?:==|!=|=~|!~) |^(?:IsMatch|HasPrefix|HasSuffix|label_replace)\(`), "is an expression of another tool",
		fixed("write the text alone, or a regular expression after =~")},
	{regexp.MustCompile(`^\*+$`), "stands for anything in other tools", fixed("leave the key out")},
	{regexp.MustCompile(`^(v?\d+(?:\.\d+)*)\.[xX]$`), "looks like a range of versions", func(_ string, m []string) string {
		return asPattern(regexp.QuoteMeta(m[1]) + `\..*`)
	}},
	{regexp.MustCompile(`[.\])][*+]|\(\?|\\[dwsDWS](?:[^A-Za-z]|$)|\\[./]|^\^|\$$|\S\|\S|\[\^?(?:\w-\w)+[^\]]*\]`), "looks like a regular expression",
		func(s string, _ []string) string {
			return asPattern(strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$"))
		}},
	{regexp.MustCompile(`\*`), "looks like a pattern with *", func(s string, _ []string) string { return asPattern(globbed(s)) }},
}

func fixed(advice string) func(string, []string) string {
	return func(string, []string) string { return advice }
}

func asPattern(pattern string) string {
	return fmt.Sprintf("write %q for a regular expression", opLike+pattern)
}

// globbed returns the regular expression for a text with *.
func globbed(s string) string { return strings.ReplaceAll(regexp.QuoteMeta(s), `\*`, ".*") }

// ofPrefix returns what to write for a text with a word as its operator.
func ofPrefix(word, text string) string {
	switch word {
	case "glob":
		return asPattern(globbed(text))
	case "like":
		return asPattern(strings.ReplaceAll(globbed(text), "%", ".*"))
	case "prefix":
		return asPattern(regexp.QuoteMeta(text) + ".*")
	case "suffix":
		return asPattern(".*" + regexp.QuoteMeta(text))
	case "contains":
		return asPattern(".*" + regexp.QuoteMeta(text) + ".*")
	case "exact", "equals", "eq":
		return fmt.Sprintf("write %q", text)
	case "not", "ne", "neq":
		return fmt.Sprintf("write %q", opNot+text)
	case "in":
		return fmt.Sprintf("write a list, [%s]", strings.Trim(text, "()[]"))
	default:
		return asPattern(text)
	}
}

// foreign returns what a text looks like in another tool and what to write instead; empty if it looks like a plain text.
func foreign(s string, listed bool) string {
	for _, f := range foreignForms {
		if m := f.form.FindStringSubmatch(s); m != nil {
			return fmt.Sprintf("%s; %s, or %q for this very text", f.looks, f.instead(s, m), opEqual+s)
		}
	}
	if listed && strings.Contains(s, ",") {
		return fmt.Sprintf("looks like a list; write [%s], or %q for this very text", s, opEqual+s)
	}
	return ""
}
