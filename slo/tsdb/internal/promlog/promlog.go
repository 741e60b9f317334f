// Package promlog is the logger that Prometheus' code writes to: New returns one that ends in the component's own.
package promlog

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// New returns the logger that Prometheus' code writes to, which ends in the component's own. What Prometheus says
// at level info, such as each step of opening a database, is debug here.
func New(logger *zap.Logger) *slog.Logger {
	return slog.New(&handler{logger: logger})
}

type handler struct {
	logger *zap.Logger
	group  string // of the attributes to come, with a dot at its end
}

func zapLevel(level slog.Level) zapcore.Level {
	switch {
	case level >= slog.LevelError:
		return zapcore.ErrorLevel
	case level >= slog.LevelWarn:
		return zapcore.WarnLevel
	default:
		return zapcore.DebugLevel
	}
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.logger.Core().Enabled(zapLevel(level))
}

func (h *handler) Handle(_ context.Context, record slog.Record) error {
	entry := h.logger.Check(zapLevel(record.Level), record.Message)
	if entry == nil {
		return nil
	}
	var fields []zap.Field
	record.Attrs(func(a slog.Attr) bool {
		fields = appendFields(fields, h.group, a)
		return true
	})
	entry.Write(fields...)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var fields []zap.Field
	for _, a := range attrs {
		fields = appendFields(fields, h.group, a)
	}
	return &handler{logger: h.logger.With(fields...), group: h.group}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{logger: h.logger, group: h.group + name + "."}
}

func appendFields(fields []zap.Field, group string, a slog.Attr) []zap.Field {
	value := a.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		return append(fields, zap.Any(group+a.Key, value.Any()))
	}
	if a.Key != "" {
		group += a.Key + "."
	}
	for _, member := range value.Group() {
		fields = appendFields(fields, group, member)
	}
	return fields
}
