package main

import (
	"errors"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/oidcauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/pprofextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/zpagesextension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	_ "github.com/slowburn/slowburn/internal/grpcgzip" // for the exporters and receivers below
	"github.com/slowburn/slowburn/processor/inplace"
	"github.com/slowburn/slowburn/processor/memorylimiter"
	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/processor/otlp/export"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
	"github.com/slowburn/slowburn/processor/reconstruct"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/metrics"
	"github.com/slowburn/slowburn/slo/sli"
	"github.com/slowburn/slowburn/slo/tsdb"
	"github.com/slowburn/slowburn/web"
)

// factories returns the factories of all components that a configuration may name. Components that reload their
// configuration read it from src.
func factories(src *source) (otelcol.Factories, error) {
	var f otelcol.Factories
	var errs [5]error
	f.Receivers, f.ReceiverModules, errs[0] = mapOf[receiver.Factory](
		otlp.NewFactory,
		metrics.NewFactory,
	)
	f.Processors, f.ProcessorModules, errs[1] = mapOf[processor.Factory](
		func() processor.Factory { return tailsampling.NewFactory(tailsampling.WithSource(src)) },
		reconstruct.NewFactory,
		memorylimiter.NewFactory,
		batchprocessor.NewFactory,
		inplace.NewAttributesFactory,
		inplace.NewResourceFactory,
		inplace.NewFilterFactory,
		transformprocessor.NewFactory,
	)
	f.Connectors, f.ConnectorModules, errs[2] = mapOf[connector.Factory](
		sli.NewFactory,
	)
	f.Exporters, f.ExporterModules, errs[3] = mapOf[exporter.Factory](
		tracestore.NewFactory,
		tsdb.NewExporterFactory,
		export.NewGRPCFactory,
		export.NewHTTPFactory,
		debugexporter.NewFactory,
		prometheusremotewriteexporter.NewFactory,
	)
	for typ, e := range f.Exporters {
		f.Exporters[typ] = wirepath.Guard(e)
	}
	f.Extensions, f.ExtensionModules, errs[4] = mapOf[extension.Factory](
		tsdb.NewExtensionFactory,
		engine.NewFactory,
		web.NewFactory,
		bearertokenauthextension.NewFactory,
		oidcauthextension.NewFactory,
		healthcheckextension.NewFactory, // the operator and the usual charts probe it
		pprofextension.NewFactory,
		zpagesextension.NewFactory,
	)
	f.Telemetry = otelconftelemetry.NewFactory()
	return f, errors.Join(errs[:]...)
}
