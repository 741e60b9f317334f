package tsdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/slo/tsdb/internal/census"
)

// count takes the census of what was read back at the start.
func (e *embedded) count() (err error) {
	reader, err := e.db.Head().Index()
	if err != nil {
		return fmt.Errorf("read the index of the head: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	name, value := index.AllPostingsKey()
	postings, err := reader.Postings(context.Background(), name, value)
	if err != nil {
		return fmt.Errorf("list the series of the head: %w", err)
	}
	var builder labels.ScratchBuilder
	var parts []chunks.Meta
	for postings.Next() {
		parts = parts[:0]
		if err := reader.Series(postings.At(), &builder, &parts); err == nil { // else it is gone since
			e.census.Note(postings.At(), census.Units(int(builder.Labels().ByteSize()), 0), false)
		}
	}
	return postings.Err()
}

// observe has the metrics of the head read it.
func (e *embedded) observe() error {
	return errors.Join(
		e.telemetry.RegisterTsdbHeadSeriesCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(e.db.Head().NumSeries()))
			return nil
		}),
		e.telemetry.RegisterTsdbForeignSeriesCallback(func(_ context.Context, o metric.Int64Observer) error {
			_, foreign := e.census.Counts()
			o.Observe(int64(foreign.Units))
			return nil
		}),
		e.telemetry.RegisterTsdbMaxSeriesCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(e.census.Max()))
			return nil
		}),
	)
}
