// Command slowburn is the gateway: an OpenTelemetry Collector that keeps the traces worth keeping and says how fast each
// service burns its error budget. Without --config it runs on the embedded config.yaml.
package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpprovider"
	"go.opentelemetry.io/collector/confmap/provider/httpsprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/checks"
	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
)

// version and commit are set by the build.
var (
	version = "dev"
	commit  = ""
)

// gcPercent is the default of GOGC: garbage before a collection, in percent of the live heap. Collections are cheap, as most
// of the heap is the buffer's index, which holds no pointers; memory is what users pay for.
const gcPercent = 60

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := command().ExecuteContext(context.Background()); err != nil {
		var exit exitError
		if errors.As(err, &exit) {
			os.Exit(exit.code)
		}
		os.Exit(1)
	}
}

func buildInfo() component.BuildInfo {
	return component.BuildInfo{
		Command:     "slowburn",
		Description: "An observability gateway: tail sampling, trace reconstruction and error budgets",
		Version:     version,
	}
}

// collectorSettings returns the settings of the Collector. src may be nil where only the components are needed.
func collectorSettings(src *source) otelcol.CollectorSettings {
	if src == nil {
		src = new(source)
	}
	src.units = checks.NewUnits(src.factories)
	return otelcol.CollectorSettings{
		BuildInfo: buildInfo(),
		Factories: func() (otelcol.Factories, error) { return factories(src) },
		// brief gets every log entry, also those of libraries: messages, errors and fields may have text that clients sent.
		LoggingOptions: []zap.Option{zap.WrapCore(brief.Core), zap.WrapCore(src.sayFirst), zap.WrapCore(src.greeting.Core)},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				URIs: []string{"yaml:" + slowburn.DefaultConfig},
				ProviderFactories: []confmap.ProviderFactory{
					envprovider.NewFactory(),
					fileprovider.NewFactory(),
					httpprovider.NewFactory(),
					httpsprovider.NewFactory(),
					yamlprovider.NewFactory(),
				},
				ConverterFactories: []confmap.ConverterFactory{src.units.Converter(), wirepath.NewFactory()},
			},
		},
	}
}
