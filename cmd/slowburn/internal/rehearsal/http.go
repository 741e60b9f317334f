package rehearsal

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
)

// makeHTTP makes the HTTP servers and clients of a configuration, for what they warn of. Authentication, middlewares and certificates are
// left out: these need other components, or files.
func makeHTTP(ctx context.Context, logger *zap.Logger, config component.Config) {
	set := component.TelemetrySettings{
		Logger: logger, MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(), Resource: pcommon.NewResource(),
	}
	visit(reflect.ValueOf(config), func(config any) bool {
		switch c := config.(type) {
		case confighttp.ServerConfig:
			c.Auth, c.Middlewares = configoptional.None[confighttp.AuthConfig](), nil
			_, _ = c.ToServer(ctx, nil, set, http.NotFoundHandler()) // a start says what is wrong with it
			return true
		case confighttp.ClientConfig:
			c.Auth, c.Middlewares, c.TLS = configoptional.None[configauth.Config](), nil, configtls.ClientConfig{}
			_, _ = c.ToClient(ctx, nil, set)
			return true
		}
		return false
	})
}

// visit calls f for the exported values within one, until it is true.
func visit(v reflect.Value, f func(any) bool) {
	if !v.IsValid() || !v.CanInterface() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), f)
		}
	case reflect.Struct:
		if f(v.Interface()) {
			return
		}
		if strings.HasSuffix(v.Type().PkgPath(), "/configoptional") {
			copied := reflect.New(v.Type())
			copied.Elem().Set(v)
			if get := copied.MethodByName("Get"); get.IsValid() {
				visit(get.Call(nil)[0], f)
			}
			return
		}
		for _, field := range v.Fields() {
			visit(field, f)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			visit(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			visit(v.MapIndex(key), f)
		}
	}
}
