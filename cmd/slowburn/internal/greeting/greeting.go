// Package greeting ends the log of a start with three lines: the OTLP endpoints, the dashboard's URL, and the data directories. Its one
// type is Greeting.
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

// Ready is the last message that the Collector logs at a start.
const Ready = "Everything is ready. Begin running and processing data."

// Greeting collects the components' addresses from the log, as a configured address may be a name or have port 0, and logs its lines
// after Ready. It is safe for concurrent use.
type Greeting struct {
	mu         sync.Mutex
	core       zapcore.Core // of the service, without the components' fields
	otlp       []string
	dashboards []string
	data       []string
}

// Data sets the directories that hold all files.
func (g *Greeting) Data(directories []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.data = slices.Clone(directories)
}

// Core returns a core that passes entries on to another and reads them. Give it to zap.WrapCore.
func (g *Greeting) Core(to zapcore.Core) zapcore.Core {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.core = to
	return core{to, g}
}

// core is safe for concurrent use if the wrapped one is.
type core struct {
	zapcore.Core
	greeting *Greeting
}

// With implements zapcore.Core.
func (c core) With(fields []zapcore.Field) zapcore.Core { return core{c.Core.With(fields), c.greeting} }

// Check implements zapcore.Core. An entry that the wrapped core drops, as a sampler may, is dropped here too.
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

// write logs the lines and clears the addresses, for the next start of the service.
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

// text returns the value of a field that is a string or a fmt.Stringer.
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
