// Package promlog is the logger that Prometheus' code writes to: New returns one that ends in the component's own.
package promlog

import (
	"context"
	"log/slog"
	"math"

	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// noStackTraces is above each level: the stack traces are Prometheus' own.
const noStackTraces = slog.Level(math.MaxInt32)

// New returns a logger for Prometheus' code, which writes to the component's own. Prometheus' messages of level info, such as each
// step of opening a database, have level debug here.
func New(logger *zap.Logger) *slog.Logger {
	return slog.New(lowered{zapslog.NewHandler(logger.Core(), zapslog.WithName(logger.Name()), zapslog.AddStacktraceAt(noStackTraces))})
}

// lowered logs records below warn at level debug.
type lowered struct{ slog.Handler }

func lower(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return slog.LevelDebug
	}
	return level
}

func (h lowered) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, lower(level))
}

func (h lowered) Handle(ctx context.Context, record slog.Record) error {
	record.Level = lower(record.Level)
	return h.Handler.Handle(ctx, record)
}

func (h lowered) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lowered{h.Handler.WithAttrs(attrs)}
}

func (h lowered) WithGroup(name string) slog.Handler { return lowered{h.Handler.WithGroup(name)} }
