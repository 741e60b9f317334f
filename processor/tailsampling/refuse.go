package tailsampling

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/processor/spanlog"
)

// retryAfter is when a refused client shall try again.
const retryAfter = time.Second

var errRecovering = errors.New("the span log is being read back")

// reason is why spans are refused.
type reason uint8

const (
	reasonMemory reason = iota
	reasonDiskBudget
	reasonDisk
	reasonRecovering
	reasons
)

// String returns the reason as it stands in metrics.
func (r reason) String() string {
	return [reasons]string{"memory_budget", "disk_budget", "disk", "recovering"}[r]
}

func reasonOf(err error) reason {
	switch {
	case errors.Is(err, spanlog.ErrMemoryBudget):
		return reasonMemory
	case errors.Is(err, spanlog.ErrDiskBudget):
		return reasonDiskBudget
	case errors.Is(err, errRecovering):
		return reasonRecovering
	default:
		return reasonDisk
	}
}

// explain says why spans are refused and what to do about it.
func (p *Sampler) explain(r reason, err error) string {
	switch r {
	case reasonMemory:
		return fmt.Sprintf("memory_budget of %s is used up by traces that cannot be delivered or decided yet: "+
			"send again later; see whether the next component accepts traces, or raise memory_budget", p.cfg.MemoryBudget)
	case reasonDiskBudget:
		return fmt.Sprintf("disk_budget of %s is used up by traces that cannot be delivered or decided yet: "+
			"send again later; see whether the next component accepts traces, or raise disk_budget", p.cfg.DiskBudget)
	case reasonRecovering:
		return fmt.Sprintf("%s: send again later", p.progress())
	default:
		return fmt.Sprintf("%v: send again later; spans are accepted as soon as the disk is", err)
	}
}

// refusal is the last one.
type refusal struct {
	at      int64
	message string
}

// refuse counts what is refused, and returns the error that makes clients send it again.
func (p *Sampler) refuse(spans int, cause error) error {
	r := reasonOf(cause)
	p.refusedFor[r].Add(int64(spans))
	message := p.explain(r, cause)
	p.lastRefusal.Store(&refusal{at: p.now(), message: message})
	if r == reasonDisk {
		p.complain("spans are refused because of the disk", cause, int64(spans))
	}
	err := fmt.Errorf("tail_sampling: %s", message)
	code := codes.ResourceExhausted
	if r == reasonRecovering || r == reasonDisk {
		code = codes.Unavailable
	}
	st, detailErr := status.New(code, err.Error()).
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if detailErr != nil {
		p.logger.Debug("a refusal goes out without a time to retry after", zap.Error(detailErr))
		st = status.New(code, err.Error())
	}
	return consumererror.NewOTLPGRPCError(err, st)
}

// refused is how many spans were refused for any reason.
func (p *Sampler) refused() (n int64) {
	for i := range p.refusedFor {
		n += p.refusedFor[i].Load()
	}
	return n
}
