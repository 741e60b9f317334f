// Package threshold does arithmetic on rejection thresholds: traces whose 56-bit W3C randomness is at or above the
// threshold are kept.
package threshold

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"

	"github.com/slowburn/slowburn/internal/tracestate"
)

// Never is the threshold that no randomness passes.
const Never = tracestate.MaxAdjustedCount

// Of returns the threshold of a probability given in percent: 2^56 − p·2^56.
func Of(percent float64) (uint64, error) {
	switch {
	case !(percent >= 0): // NaN too
		return 0, errors.New("must be 0 or more")
	case percent == 0:
		return Never, nil
	case percent >= 100:
		return 0, nil
	}
	th, err := sampling.ProbabilityToThreshold(percent / 100)
	if err != nil {
		return 0, fmt.Errorf("must be 0 or at least %g", 100*sampling.MinSamplingProbability)
	}
	return th.Unsigned(), nil
}

// OfShare returns 2^56·(1−share). The share is rounded up to 12 significant bits, so that thresholds are short when
// written and few differ.
func OfShare(share float64) uint64 {
	const significant = 12
	part := max(1, uint64(math.Ceil(min(1, share)*float64(Never))))
	if extra := bits.Len64(part) - significant; extra > 0 {
		part = (part + 1<<extra - 1) >> extra << extra
	}
	return Never - min(part, Never)
}

// Complement returns the threshold that keeps as large a share as threshold rejects.
func Complement(threshold uint64) uint64 { return Never - threshold }

// Share returns the share of all randomness that passes a threshold.
func Share(threshold uint64) float64 { return float64(Never-threshold) / float64(Never) }
