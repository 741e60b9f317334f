package sim

import (
	"errors"
	"fmt"
	"strings"
)

// patch is a fault: its description in a sentence, and the change of one file that causes it.
type patch struct {
	what, file string
	hunks      []hunk
}

// hunk is lines of a file, and their replacement.
type hunk struct{ before, after string }

// parsePatch reads a sentence, an empty line, and a unified diff of one file.
func parsePatch(text string) (p patch, err error) {
	what, diff, _ := strings.Cut(text, "\n\n")
	p.what = strings.TrimSpace(what)
	var at *hunk
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "--- "):
		case strings.HasPrefix(line, "+++ b/"):
			if p.file != "" {
				return p, errors.New("a patch is of one file")
			}
			p.file = strings.TrimSpace(line[len("+++ b/"):])
		case strings.HasPrefix(line, "@@"):
			p.hunks = append(p.hunks, hunk{})
			at = &p.hunks[len(p.hunks)-1]
		case at == nil || line == "\n" || strings.HasPrefix(line, `\`):
		case line[0] == ' ':
			at.before, at.after = at.before+line[1:], at.after+line[1:]
		case line[0] == '-':
			at.before += line[1:]
		case line[0] == '+':
			at.after += line[1:]
		default:
			return p, fmt.Errorf("%q is no line of a diff", line)
		}
	}
	if p.file == "" || len(p.hunks) == 0 {
		return p, errors.New("there is no change of a file in it")
	}
	return p, nil
}

// apply returns the file's text with the fault. Line numbers are ignored: the lines must occur exactly once.
func (p patch) apply(text string) (string, error) {
	for i, h := range p.hunks {
		if n := strings.Count(text, h.before); n != 1 {
			return "", fmt.Errorf("the lines of hunk %d are %d times in %s, where they must be once: write the fault anew for what the file is now", i+1, n, p.file)
		}
		text = strings.Replace(text, h.before, h.after, 1)
	}
	return text, nil
}
