package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The fields of a component's logger, and one of ours for lines of no component.
const (
	prefix     = "otelcol."
	keyKind    = prefix + "component.kind"
	keyID      = prefix + "component.id"
	keySection = prefix + "section"
)

// Lines are the warnings and errors of a logger and of those that come of it, one each: its component, and what it says. Its methods may
// be called concurrently.
type Lines struct {
	mu  sync.Mutex
	all []string
}

// Logger returns a logger whose lines are kept. Section is named by those of no component.
func (l *Lines) Logger(section string) *zap.Logger {
	return zap.New(&collector{all: l}).With(zap.String(keySection, section))
}

// All returns the lines in their order, each once.
func (l *Lines) All() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

func (l *Lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.all, line) { // a component in two pipelines says it twice
		l.all = append(l.all, line)
	}
}

// collector is a zapcore.Core that keeps warnings and errors as lines of text.
type collector struct {
	all    *Lines
	fields []zapcore.Field
}

// Enabled implements zapcore.LevelEnabler.
func (*collector) Enabled(level zapcore.Level) bool { return level >= zapcore.WarnLevel }

// With implements zapcore.Core.
func (c *collector) With(fields []zapcore.Field) zapcore.Core {
	return &collector{c.all, slices.Concat(c.fields, fields)}
}

// Check implements zapcore.Core.
func (c *collector) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c *collector) Write(e zapcore.Entry, fields []zapcore.Field) error {
	c.all.add(lineOf(e.Message, slices.Concat(c.fields, fields)))
	return nil
}

// Sync implements zapcore.Core.
func (*collector) Sync() error { return nil }

// lineOf returns a message with its component in front, and its fields behind.
func lineOf(message string, fields []zapcore.Field) string {
	values := zapcore.NewMapObjectEncoder()
	var keys []string
	for _, f := range fields {
		f.AddTo(values)
		if f.Key != "" && !strings.HasPrefix(f.Key, prefix) && !slices.Contains(keys, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	where := fmt.Sprint(values.Fields[keySection])
	if id, ok := values.Fields[keyID]; ok {
		where = fmt.Sprintf("%vs::%v", values.Fields[keyKind], id)
	}
	if len(keys) == 0 {
		return where + ": " + message
	}
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = fmt.Sprintf("%s: %v", key, values.Fields[key])
	}
	return fmt.Sprintf("%s: %s (%s)", where, message, strings.Join(texts, ", "))
}
