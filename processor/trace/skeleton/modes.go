package skeleton

import "github.com/slowburn/slowburn/internal/wire"

// FailureMode is how a call failed, judged by its client span C and its server span S, if there is one.
type FailureMode uint8

// The failure modes. In one trace a call that was never received looks like one whose server is not instrumented: only
// many traces show what is usual between two services. So a lost request is FailureUnobserved here.
const (
	// FailureNeverSent: C failed before it was connected to anything.
	FailureNeverSent FailureMode = iota
	// FailureUnobserved: C failed and there is no S to explain it.
	FailureUnobserved
	// FailureIntermediary: C received a 502, 503 or 504 and there is no S, so an intermediary sent it.
	FailureIntermediary
	// FailureServer: both failed.
	FailureServer
	// FailureResponseLost: C failed without an answer, and S did not fail and took no longer than C.
	FailureResponseLost
	// FailureStillWorking: C gave up, and S took longer than C.
	FailureStillWorking
	// FailureCaller: C received a 4xx, which by the conventions is an error of C alone.
	FailureCaller
	// FailureRetries: a call was repeated after it failed.
	FailureRetries
	// FailureDuplicateWork: one C has two S, or the S of a call still ran when the S of its repetition began.
	FailureDuplicateWork
	failureModes
)

var failureModeNames = [failureModes]string{
	"never_sent", "unobserved_peer", "intermediary", "server_failed", "response_lost", "server_still_working", "caller_error",
	"retries", "duplicate_work",
}

func (m FailureMode) String() string { return failureModeNames[m] }

// AllFailureModes returns all failure modes.
func AllFailureModes() (all []FailureMode) {
	for m := range failureModes {
		all = append(all, m)
	}
	return all
}

// FailureModes is a set of failure modes.
type FailureModes uint16

// With returns the set and m.
func (set FailureModes) With(m FailureMode) FailureModes { return set | 1<<m }

// Any reports whether the sets have a mode in common.
func (set FailureModes) Any(other FailureModes) bool { return set&other != 0 }

// FailureModes returns the failure modes of the trace's calls.
func (k *Skeleton) FailureModes() (found FailureModes) {
	for i := range k.Spans {
		if k.Spans[i].Kind == wire.KindClient {
			found |= k.modesOf(i)
		}
	}
	k.worked.of = -1
	for i := range k.Spans {
		for earlier, later := range k.repetitions(k.childrenOf(i)) {
			found = found.With(FailureRetries)
			if !found.Any(FailureModes(0).With(FailureDuplicateWork)) && k.overlap(earlier, later) {
				found = found.With(FailureDuplicateWork)
			}
		}
	}
	if k.Retries() > 0 { // as clients report it
		found = found.With(FailureRetries)
	}
	return found
}

// modesOf returns the failure modes of one call.
func (k *Skeleton) modesOf(client int) (found FailureModes) {
	c := &k.Spans[client]
	servers, failed, longest := 0, false, uint64(0)
	for _, child := range k.childrenOf(client) {
		if s := &k.Spans[child]; s.Kind == wire.KindServer {
			servers++
			failed = failed || s.failed()
			longest = max(longest, s.duration())
		}
	}
	if servers > 1 {
		found = found.With(FailureDuplicateWork)
	}
	if !c.failed() {
		return found
	}
	switch code := c.Failure.Code; {
	case failed:
		return found.With(FailureServer)
	case code >= 400 && code < 500:
		return found.With(FailureCaller)
	case servers == 0:
		return found.With(withoutServer(c))
	case longest > c.duration() && (code == 0 || c.Failure.Reason == ReasonGaveUp):
		return found.With(FailureStillWorking)
	case code == 0:
		return found.With(FailureResponseLost)
	}
	return found
}

// withoutServer returns the mode of a failed call without a server span.
func withoutServer(c *Span) FailureMode {
	switch code := c.Failure.Code; {
	case code >= 502 && code <= 504:
		return FailureIntermediary
	case code == 0 && c.Failure.Reason == ReasonNotConnected && !c.Failure.Peer:
		return FailureNeverSent
	default:
		return FailureUnobserved
	}
}
