package samples

import (
	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo/ledger"
)

// heartbeatLabel is the label of a series that the connector sli writes for as long as it counts the spans of an objective.
const heartbeatLabel = "heartbeat"

// countingOf returns for each minute whether all of it was counted. The connector writes a sample at the end of each minute; it counted
// a minute if it has one at its start and one at its end. If several connectors count, the minute in which one begins or ends is not
// counted as a whole.
func countingOf(beats [][]model.SamplePair, from, to ledger.Minute) []bool {
	const none, partly, fully = 0, 1, 2
	state := make([]int, to-from)
	for _, values := range beats {
		at := make(map[int64]bool, len(values))
		for _, v := range values {
			at[int64(v.Timestamp)] = true
		}
		for i := range state {
			m := from + ledger.Minute(i)
			switch begin, end := at[m.Start().UnixMilli()], at[m.End().UnixMilli()]; {
			case begin != end:
				state[i] = partly
			case begin && state[i] == none:
				state[i] = fully
			}
		}
	}
	counting := make([]bool, len(state))
	for i, s := range state {
		counting[i] = s == fully
	}
	return counting
}
