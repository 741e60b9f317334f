package main

import (
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
)

// mapOf makes factories and returns them by type, and by type the Go module of each, which `slowburn components` prints.
func mapOf[T component.Factory](constructors ...func() T) (map[component.Type]T, map[component.Type]string, error) {
	list := make([]T, len(constructors))
	modules := make(map[component.Type]string, len(constructors))
	for i, newFactory := range constructors {
		list[i] = newFactory()
		modules[list[i].Type()] = moduleOf(newFactory)
	}
	byType, err := otelcol.MakeFactoryMap(list...)
	return byType, modules, err
}

// moduleOf returns the module and version in which a constructor is defined, as the build recorded them.
func moduleOf(constructor any) string {
	name := runtime.FuncForPC(reflect.ValueOf(constructor).Pointer()).Name()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	best := &info.Main
	for _, dep := range info.Deps {
		if strings.HasPrefix(name, dep.Path) && len(dep.Path) > len(best.Path) {
			best = dep
		}
	}
	return best.Path + " " + best.Version
}
