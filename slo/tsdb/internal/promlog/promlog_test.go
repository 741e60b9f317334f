package promlog

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSlog(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	logger := New(zap.New(core))

	logger.Info("step", "n", 1)
	logger.With("component", "head").WithGroup("wal").Warn("odd", "segment", 7, slog.Group("at", "byte", 3), slog.Group("", "flat", true))
	logger.WithGroup("").Error("bad", "err", errors.New("boom"))

	require.Equal(t, 3, logs.Len())
	want := []struct {
		level  zapcore.Level
		fields map[string]any
	}{
		{zapcore.DebugLevel, map[string]any{"n": int64(1)}},
		{zapcore.WarnLevel, map[string]any{"component": "head", "wal": map[string]any{"segment": int64(7), "at": map[string]any{"byte": int64(3)}, "flat": true}}},
		{zapcore.ErrorLevel, map[string]any{"err": "boom"}},
	}
	for i, entry := range logs.All() {
		assert.Equal(t, want[i].level, entry.Level)
		assert.Equal(t, want[i].fields, entry.ContextMap())
	}
}

func TestSlogLevels(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	logger := New(zap.New(core))
	assert.False(t, logger.Enabled(context.Background(), slog.LevelInfo))
	assert.True(t, logger.Enabled(context.Background(), slog.LevelWarn))
	logger.Info("not written")
	assert.Zero(t, logs.Len())
}
