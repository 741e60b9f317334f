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

// A trace that is larger than a load, with its resources and scopes, is a load of its own, and takes a share of the memory for
// such traces of all senders (package quota). The size of its spans is known beforehand; that its resources are large is noticed
// while it is read. Then it is measured, and read again when it has its share.

// errLarge says that a trace is larger than its load's room, and has no share.
var errLarge = errors.New("the trace is larger than a load")

// largeTrace is a sender's state for traces that are larger than a load.
type largeTrace struct {
	ref     shard.Ref // the trace that was measured last
	bytes   int       // its size; 0 if there is none
	blocked bool      // a trace waits for memory, and so do those after it
}

// sizeOf returns the size of a large trace in bytes, with its resources and scopes; 0 if it cannot be large.
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

// measure measures a taken trace.
func (l *load) measure(m *buffer.Member, k *shard.Kept) {
	l.sender.large.ref, l.sender.large.bytes = k.Ref, max(1, k.Bytes, l.lengthOf(m, k))
}

// lengthOf adds up the sizes of a trace's spans, resources and scopes, as far as they can be read.
func (l *load) lengthOf(m *buffer.Member, k *shard.Kept) (length int) {
	if l.d.out.Buffer.Mapped { // reading can fault
		var fault error // reading the trace later meets it again
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

// mostHeader is the largest resource, or scope, that slowburn's own receiver accepts by default (max_resource_size).
const mostHeader = 256 << 10

// maxHeaders is the largest size of all resources and scopes of a trace. A trace may have as many as spans, and its size limit in the
// log is for the spans.
func maxHeaders(o *Output) int { return int(min(o.Buffer.TraceSize, 16<<20)) }

// headers returns a record's resource and scope to deliver. If those of a large trace exceed their limit (others is their size so
// far), only the names of the service and the scope are kept, with the number of bytes cut.
func (l *load) headers(r *spanlog.Record, others int) (resource, scope []byte) {
	if l.share == 0 || others <= maxHeaders(l.d.out) {
		return r.Resource, r.Scope
	}
	if l.trimmed++; l.trimmed == 1 {
		l.d.out.Logger.Warn("resources of a large kept trace cut, they exceed the limit of its spans", l.d.field(), zap.Int("bytes", others))
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

// brief returns the beginning of a name, which is always delivered.
func brief(name []byte) string { return strings.ToValidUTF8(string(name[:min(len(name), 256)]), "") }

// reserve takes the share of a large trace, and makes room for it. It reports whether it could; if not, the sender must wait. A
// load with forced set gets its share at once.
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
	l.kept.Bytes = slices.Grow(l.kept.Bytes, size) // in one step: growing in several would hold the bytes twice
	return true
}

// giveBack returns the share of a load.
func (l *load) giveBack() {
	if l.share > 0 {
		l.d.out.quota.Return(int(l.d.Index), l.share)
		l.share = 0
	}
}

// isLarge reports whether a trace in another load is larger than this one's room, and records its size.
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

// awaitQuota waits, while there is nothing else to do, until a share may be free. It reports whether ctx is not
// done.
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

// leaveQuota returns all shares of a sender, and gives up its place in the queue.
func leaveQuota(s *Sender) {
	for _, l := range s.loads {
		l.giveBack()
	}
	s.d.out.quota.Cancel(int(s.d.Index), s.wake)
}
