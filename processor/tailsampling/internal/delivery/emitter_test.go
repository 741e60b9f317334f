package delivery

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestRetryDelayOfTheNextComponent(t *testing.T) {
	throttled := func(code codes.Code, d time.Duration) *status.Status {
		st, err := status.New(code, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(d)})
		require.NoError(t, err)
		return st
	}
	for _, tc := range []struct {
		err  error
		want time.Duration
	}{
		{errors.New("plain"), 0},
		{consumererror.NewRetryableError(errors.New("plain")), 0},
		{status.Error(codes.Unavailable, "no details"), 0},
		{throttled(codes.Unavailable, 7*time.Second).Err(), 7 * time.Second},
		{throttled(codes.Unavailable, time.Hour).Err(), maxBackoff},
		{consumererror.NewOTLPGRPCError(errors.New("x"), throttled(codes.ResourceExhausted, 2*time.Second)), 2 * time.Second},
		{fmt.Errorf("exporter: %w", throttled(codes.Unavailable, time.Second).Err()), time.Second},
	} {
		assert.Equal(t, tc.want, retryDelay(tc.err), "%v", tc.err)
	}
}
