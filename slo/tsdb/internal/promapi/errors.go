package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/prometheus/promql"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// kind is the type of an error, by Prometheus' names.
type kind string

const (
	badData   kind = "bad_data"
	execution kind = "execution"
	canceled  kind = "canceled"
	timeout   kind = "timeout"
	internal  kind = "internal"
	// unavailable says that others keep the gateway busy; Prometheus, which lets all wait, has no such kind.
	unavailable kind = "unavailable"
)

// statusClosed is nginx's code for a client that has gone, which Prometheus answers with.
const statusClosed = 499

// code is the HTTP status of an error of this kind.
func (k kind) code() int {
	switch k {
	case badData:
		return http.StatusBadRequest
	case execution:
		return http.StatusUnprocessableEntity
	case canceled:
		return statusClosed
	case timeout, unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// badRequest is an error of the request itself.
type badRequest struct{ error }

// Unwrap lets errors.As see what is wrong.
func (b badRequest) Unwrap() error { return b.error }

// invalid is a badRequest about a parameter.
func invalid(parameter string, err error) error {
	return badRequest{fmt.Errorf("invalid parameter %q: %w", parameter, err)}
}

// kindOf returns the kind of an error.
func kindOf(err error) kind {
	var bad badRequest
	var gone promql.ErrQueryCanceled
	var late promql.ErrQueryTimeout
	var disk promql.ErrStorage
	var large *bounds.Error
	var busy *gate.Busy
	switch {
	case errors.As(err, &busy):
		return unavailable
	case errors.As(err, &large) && large.Costly():
		return execution
	case errors.As(err, &bad), errors.As(err, &large):
		return badData
	case errors.As(err, &gone), errors.Is(err, context.Canceled):
		return canceled
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return timeout
	case errors.As(err, &disk):
		return internal
	default:
		return execution
	}
}
