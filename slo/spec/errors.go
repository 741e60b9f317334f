package spec

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// errorList collects errors, to report all of them at once.
type errorList []error

func (l *errorList) add(err error) {
	if err != nil {
		*l = append(*l, err)
	}
}

func (l *errorList) addf(format string, args ...any) { l.add(fmt.Errorf(format, args...)) }

// key adds the error, prefixed with its key.
func (l *errorList) key(key string, err error) {
	if err != nil {
		l.addf("%s: %w", key, err)
	}
}

func (l errorList) join() error { return errors.Join(l...) }

// decodingFailed is the headline that confmap puts over the errors that it joins.
const decodingFailed = "decoding failed due to the following error(s):"

// typeRE matches where mapstructure names a Go type, which means nothing to a user.
var typeRE = regexp.MustCompile(`'\w+\.\w+' has invalid keys:`)

// At prefixes each line of an error with a place, so that each of several joined errors can be read alone.
func At(place string, err error) error {
	if err == nil {
		return nil
	}
	var out errorList
	for line := range strings.SplitSeq(err.Error(), "\n") {
		line = typeRE.ReplaceAllLiteralString(strings.TrimSpace(line), "unknown keys:")
		if line != "" && line != decodingFailed {
			out.addf("%s: %s", place, line)
		}
	}
	return out.join()
}

// percent returns p/100, rounded so that 99.9 gives 0.999.
func percent(p float64) float64 { return math.Round(p*1e10) / 1e12 }
