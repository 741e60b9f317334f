package tsdb

import (
	"context"
	"net/http"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/host"
)

// Querier answers PromQL, from the embedded database or a remote Prometheus API with the same result.
// Its methods may be called concurrently, and a result belongs to the caller.
type Querier interface {
	// Query evaluates an expression at an instant. A range-vector expression gives a model.Matrix of the samples as
	// they were stored; others give a model.Vector, *model.Scalar or *model.String. Native histograms are in the
	// results' Histogram fields.
	Query(ctx context.Context, expr string, at time.Time) (model.Value, error)

	// QueryRange evaluates an expression at each step of a range, and gives a model.Matrix.
	QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error)
}

// backend implements the Extension: an embedded database or a remote API.
type backend interface {
	Querier
	http.Handler // Prometheus' HTTP API below /api/v1/
	host.Prober
	queries() gate.State // of people
	close() error
}
