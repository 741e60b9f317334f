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
	kindBadData   kind = "bad_data"
	kindExecution kind = "execution"
	kindCanceled  kind = "canceled"
	kindTimeout   kind = "timeout"
	kindInternal  kind = "internal"
	// kindUnavailable says that others keep the gateway busy; Prometheus, which lets all wait, has no such kind.
	kindUnavailable kind = "unavailable"
)

// statusClosed is nginx's code for a client that has gone, which Prometheus answers with.
const statusClosed = 499

// code is the HTTP status of an error of this kind.
func (k kind) code() int {
	switch k {
	case kindBadData:
		return http.StatusBadRequest
	case kindExecution:
		return http.StatusUnprocessableEntity
	case kindCanceled:
		return statusClosed
	case kindTimeout, kindUnavailable:
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
		return kindUnavailable
	case errors.As(err, &large) && large.Costly():
		return kindExecution
	case errors.As(err, &bad), errors.As(err, &large):
		return kindBadData
	case errors.As(err, &gone), errors.Is(err, context.Canceled):
		return kindCanceled
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return kindTimeout
	case errors.As(err, &disk):
		return kindInternal
	default:
		return kindExecution
	}
}
