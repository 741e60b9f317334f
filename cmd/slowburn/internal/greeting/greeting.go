// Package greeting ends the log of a start with three lines: where spans go, where the dashboard is, and where the files are. Its one type
// is Greeting.
package greeting

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/web"
)

// Ready is the last line that the Collector logs of a start.
const Ready = "Everything is ready. Begin running and processing data."

// Greeting learns from the log itself where components listen, as an address may have port 0 or be a name, and writes its lines behind
// Ready. Goroutine-safe.
type Greeting struct {
	mu         sync.Mutex
	core       zapcore.Core // of the service, without what components add
	otlp       []string
	dashboards []string
	data       []string
}

// Data takes the directories that hold all files.
func (g *Greeting) Data(directories []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.data = slices.Clone(directories)
}

// Core returns a core that passes entries to another and looks at them, to be given to zap.WrapCore.
func (g *Greeting) Core(to zapcore.Core) zapcore.Core {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.core = to
	return core{to, g}
}

// core is as safe for concurrent use as the one that it passes entries to.
type core struct {
	zapcore.Core
	greeting *Greeting
}

// With implements zapcore.Core.
func (c core) With(fields []zapcore.Field) zapcore.Core { return core{c.Core.With(fields), c.greeting} }

// Check implements zapcore.Core. What another core makes of the entry beyond its level, as a sampler does, goes for it here, too.
func (c core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Core.Check(entry, nil) == nil {
		return checked
	}
	return checked.AddCore(entry, c)
}

// Write implements zapcore.Core.
func (c core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if err := c.Core.Write(entry, fields); err != nil {
		return err
	}
	switch entry.Message {
	case otlp.LogListening:
		c.greeting.listening(text(fields, "protocol") + " on " + text(fields, "endpoint"))
	case web.LogStarted:
		c.greeting.serving(text(fields, "url"))
	case Ready:
		return c.greeting.write()
	}
	return nil
}

func (g *Greeting) listening(endpoint string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.otlp = append(g.otlp, endpoint)
}

func (g *Greeting) serving(url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dashboards = append(g.dashboards, url)
}

// write logs the lines, and begins anew: a service that starts again says where it listens again.
func (g *Greeting) write() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range []struct{ name, text, none string }{
		{"OTLP: ", strings.Join(g.otlp, ", "), "nowhere, as no pipeline has a receiver otlp"},
		{"dashboard: ", strings.Join(g.dashboards, ", "), "none, as service::extensions does not have web"},
		{"data: ", strings.Join(g.data, ", "), "in memory alone, which a restart loses"},
	} {
		if line.text == "" {
			line.text = line.none
		}
		if err := g.core.Write(zapcore.Entry{Level: zapcore.InfoLevel, Time: clock.Now(), Message: line.name + line.text}, nil); err != nil {
			return err
		}
	}
	g.otlp, g.dashboards = nil, nil
	return nil
}

// text is the value of a field that is a string or can say what it is.
func text(fields []zapcore.Field, key string) string {
	for _, f := range fields {
		if f.Key != key {
			continue
		}
		if s, ok := f.Interface.(fmt.Stringer); ok {
			return s.String()
		}
		return f.String
	}
	return ""
}
