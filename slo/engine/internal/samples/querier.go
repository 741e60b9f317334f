package samples

import (
	"context"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Querier is the part of a time series database that evaluation needs. The extension `tsdb` implements it.
type Querier interface {
	// Query evaluates an expression at an instant. A range vector gives a model.Matrix of the samples as stored.
	Query(ctx context.Context, expr string, at time.Time) (model.Value, error)
	// QueryRange evaluates an expression at each step of a range, and gives a model.Matrix.
	QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error)
}
