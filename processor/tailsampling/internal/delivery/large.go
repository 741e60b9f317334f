package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A trace that is larger than the room of a load, with its resources and scopes, is a load of its own, and takes a share of what
// all senders of all destinations may have of such at a time (package quota). It is known beforehand how long its spans are; that
// its resources are what is large is noticed while it is read. It is then measured, and read again when its share is taken.

// errLarge is a trace that is larger than the room of its load, and has no share.
var errLarge = errors.New("the trace is larger than a load")

// largeTrace is what a sender knows of traces that are larger than a load.
type largeTrace struct {
	ref     shard.Ref // the one that was measured last
	bytes   int       // of it; 0 where there is none
	blocked bool      // one waits for memory, and so do those behind it
}

// sizeOf returns the size of a large trace in bytes, with its resources and scopes, 0 if it may not be large.
func (l *load) sizeOf(m *buffer.Member, k *shard.Kept) int {
	switch {
	case l.sender.large.bytes > 0 && l.sender.large.ref == k.Ref:
	case k.Bytes > l.room.bytes:
		l.measure(m, k)
	default:
		return 0
	}
	return l.sender.large.bytes
}

// measure finds how large a trace is that was taken.
func (l *load) measure(m *buffer.Member, k *shard.Kept) {
	l.sender.large.ref, l.sender.large.bytes = k.Ref, max(1, k.Bytes, l.lengthOf(m, k))
}

// lengthOf adds up how long a trace's spans are, and its resources and scopes, as far as it can be read.
func (l *load) lengthOf(m *buffer.Member, k *shard.Kept) (length int) {
	if l.d.out.Buffer.Mapped { // reading can fault
		var fault error // whoever reads the trace meets it again
		defer spanlog.Guard(&fault)()
	}
	seen, headers := map[uint64]bool{}, 0
	for r, err := range m.Outgoing(l.d.Index).Records(k.Slot, pauseIn(m, k)) {
		if err != nil {
			continue
		}
		length += len(r.Body)
		if !seen[r.Origin] {
			seen[r.Origin] = true
			headers += len(r.Resource) + len(r.Scope)
		}
	}
	return length + min(headers, maxHeaders(l.d.out)+int(mostHeader))
}

// mostHeader is what a resource, or a scope, is at most that comes by slowburn's own receiver, unless max_resource_size is set.
const mostHeader = 256 << 10

// maxHeaders is how much the resources and scopes of a trace may take in all. A trace has as many as it has spans, and the size that it
// may have in the log is that of its spans.
func maxHeaders(o *Output) int { return int(min(o.Buffer.TraceSize, 16<<20)) }

// headers returns what is passed on of a record's resource and scope, of a large trace whose others take so many bytes: where that is
// more than they may, what service and which scope it was, and how much was cut.
func (l *load) headers(r *spanlog.Record, others int) (resource, scope []byte) {
	if l.share == 0 || others <= maxHeaders(l.d.out) {
		return r.Resource, r.Scope
	}
	if l.trimmed++; l.trimmed == 1 {
		l.d.out.Logger.Warn("resources of a large kept trace were cut: they take more than its spans may", l.d.field(), zap.Int("bytes", others))
	}
	service, _ := wire.ResourceAttribute(r.Resource, "service.name")
	name := wire.ScopeName(r.Scope)
	marks := []wire.Attribute{
		wire.StringAttribute("service.name", brief(service.Bytes())),
		wire.IntAttribute(attr.SpanTrimmed, int64(len(r.Resource)+len(r.Scope))),
	}
	for _, mark := range marks {
		resource = mark.AppendField(resource, 1<<3|byte(protobuf.TypeLen))
	}
	return protobuf.AppendLen(nil, 1<<3|byte(protobuf.TypeLen), resource),
		protobuf.AppendLen(nil, 1<<3|byte(protobuf.TypeLen), protobuf.AppendLen(nil, 1<<3|byte(protobuf.TypeLen), []byte(brief(name))))
}

// brief is the beginning of a name that is passed on in any case.
func brief(name []byte) string { return strings.ToValidUTF8(string(name[:min(len(name), 256)]), "") }

// reserve takes the share of a large trace, and makes room for it. It reports false where the sender has to wait for that. A load
// that was forced to take a trace gets it at once.
func (l *load) reserve(size int) bool {
	if l.share == 0 {
		share, s := l.sender.memory.cost(size), l.sender
		if l.forced {
			l.d.out.quota.Force(int(l.d.Index), share)
		} else if !l.d.out.quota.Take(int(l.d.Index), share, s.wake) {
			l.blocked = true
			return false
		}
		l.share = share
		s.memory.grow(s.memory.counted + share)
	}
	l.reset()
	l.kept.Bytes = slices.Grow(l.kept.Bytes, size) // at once: what grows step by step has its bytes twice
	return true
}

// giveBack gives the share of a load back.
func (l *load) giveBack() {
	if l.share > 0 {
		l.d.out.quota.Give(int(l.d.Index), l.share)
		l.share = 0
	}
}

// isLarge reports whether a trace in another load is larger than the room of this one, and notes how large.
func (l *load) isLarge(k *shard.Kept, from *wire.Kept, trace int) bool {
	if l.share > 0 || len(from.Bytes) <= l.room.bytes {
		return false
	}
	if size := wire.LengthOf(from, trace); size > l.room.bytes {
		l.sender.large.ref, l.sender.large.bytes = k.Ref, size
		return true
	}
	return false
}

// awaitQuota waits, while nothing else is left to do, until a share may be had. It reports false where ctx is done.
func awaitQuota(ctx context.Context, s *Sender) bool {
	timer := clock.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// leaveQuota gives back all that a sender has, and lets those behind it go first.
func leaveQuota(s *Sender) {
	for _, l := range s.loads {
		l.giveBack()
	}
	s.d.out.quota.Leave(int(s.d.Index), s.wake)
}
