package refuse

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

type size string

func (s size) String() string { return string(s) }

func newRefusals(t *testing.T) (*Refusals, *observer.ObservedLogs) {
	set, err := policy.Compile([]policy.Config{{Name: "all", Type: policy.AlwaysSample}}, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, version.NewNames())
	require.NoError(t, err)
	core, logs := observer.New(zap.DebugLevel)
	shared := &shard.Shared{Pool: spanlog.NewPool(64<<20, 1), Epoch: clock.NewEpoch()}
	time.Sleep(time.Hour)
	return &Refusals{
		Memory: size("1 GiB"), Disk: size("2 TiB"), Progress: func() string { return "is half through" },
		Buffer: buffer.New(shared, 1, v, zap.New(core)), Logger: zap.New(core),
	}, logs
}

// Every refusal states its reason and what to do, and has a retry delay of one second.
func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		cause   error
		reason  Reason
		code    codes.Code
		message string
		logged  bool
	}{
		"memory_budget": {
			fmt.Errorf("reserve: %w", spanlog.ErrMemoryBudget), MemoryBudget, codes.ResourceExhausted,
			"tail_sampling: memory_budget of 1 GiB is used up by traces that cannot be delivered or decided yet: send again later; " +
				"see whether the next component accepts traces, or raise memory_budget", false,
		},
		"disk_budget": {
			spanlog.ErrDiskBudget, DiskBudget, codes.ResourceExhausted,
			"tail_sampling: disk_budget of 2 TiB is used up by traces that cannot be delivered or decided yet: send again later; " +
				"see whether the next component accepts traces, or raise disk_budget", false,
		},
		"recovering": {
			fmt.Errorf("no: %w", ErrRecovering), Recovering, codes.Unavailable, "tail_sampling: is half through: send again later", false,
		},
		"disk": {
			errors.New("no space left"), Disk, codes.Unavailable,
			"tail_sampling: no space left: send again later; spans are accepted as soon as the disk is", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, logs := newRefusals(t)
				err := f.Refuse(7, tc.cause)
				require.EqualError(t, err, tc.message)
				var e *consumererror.Error
				require.ErrorAs(t, err, &e)
				require.False(t, consumererror.IsPermanent(err))
				st := consumererror.ToGRPCStatus(e)
				require.Equal(t, tc.code, st.Code())
				require.Equal(t, tc.message, st.Message())
				require.Len(t, st.Details(), 1)
				require.Equal(t, time.Second, st.Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
				require.Equal(t, name, tc.reason.String())
				require.Error(t, f.Refuse(2, tc.cause))
				for r := range Reasons {
					want := int64(0)
					if r == tc.reason {
						want = 9
					}
					require.Equal(t, want, f.For(r), "%v", r)
				}
				if tc.logged {
					require.Len(t, logs.All(), 1, "at most every ten seconds")
					require.Equal(t, int64(7), logs.All()[0].ContextMap()["spans"])
				} else {
					require.Empty(t, logs.All())
				}
			})
		})
	}
}

// A refusal is recent for a while, and the last request for longer if it was refused.
func TestRecentRefusals(t *testing.T) {
	const within, alone = 5 * time.Second, time.Minute
	synctest.Test(t, func(t *testing.T) {
		f, _ := newRefusals(t)
		recent := func() string {
			message, ok := f.Recent(within, alone)
			require.Equal(t, ok, message != "")
			return message
		}
		f.Accepted()
		require.Empty(t, recent())
		require.Error(t, f.Refuse(1, spanlog.ErrMemoryBudget))
		require.Error(t, f.Refuse(2, ErrRecovering))
		require.EqualValues(t, 3, f.All())
		const message = "is half through: send again later"
		time.Sleep(within)
		require.Equal(t, message, recent(), "nothing was accepted since")
		f.Accepted()
		require.Empty(t, recent())
		require.Error(t, f.Refuse(2, ErrRecovering))
		f.Accepted()
		time.Sleep(within - 1)
		require.Equal(t, message, recent(), "some are refused")
		time.Sleep(time.Nanosecond)
		require.Empty(t, recent())
		require.Error(t, f.Refuse(2, ErrRecovering))
		time.Sleep(alone - 1)
		require.Equal(t, message, recent())
		time.Sleep(time.Nanosecond)
		require.Empty(t, recent(), "nobody sends: it may be well again")
	})
}

// If the index of many small traces takes most of the budget, the refusal says so.
func TestRefusalBecauseOfTheIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newRefusals(t)
		f.Buffer.Index.Store(40 << 20) // of 64 MiB
		require.EqualError(t, f.Refuse(1, spanlog.ErrMemoryBudget), "tail_sampling: memory_budget of 1 GiB is too small for so "+
			"many traces at once: 40.0MiB of it index them, spans aside: send again later, or raise memory_budget")
	})
}

// A request that can never fit is refused permanently, with the key to raise; it is counted and logged, and the gateway stays ready.
func TestOversizedRequestIsRefusedForGood(t *testing.T) {
	for key, onDisk := range map[string]bool{"memory_budget of 1 GiB": false, "disk_budget of 2 TiB": true} {
		synctest.Test(t, func(t *testing.T) {
			f, logs := newRefusals(t)
			err := f.Refuse(7, fmt.Errorf("reserve: %w", &spanlog.TooLargeError{OnDisk: onDisk, Need: 3 << 20, Most: 2 << 20}))
			require.True(t, consumererror.IsPermanent(err))
			var e *consumererror.Error
			require.ErrorAs(t, err, &e)
			require.False(t, e.IsRetryable())
			require.Equal(t, http.StatusRequestEntityTooLarge, consumererror.ToHTTPStatus(e))
			budget, _, _ := strings.Cut(key, " ")
			require.EqualError(t, e, "tail_sampling: the request never fits "+key+": it takes 3.0MiB, and there is room for 2.0MiB at most: "+
				"send smaller batches, or raise "+budget)
			require.EqualValues(t, 7, f.For(TooLarge))
			require.EqualValues(t, 7, f.All())
			_, told := f.Recent(time.Minute, time.Hour)
			require.False(t, told)
			require.Equal(t, 1, logs.Len())
		})
	}
}
