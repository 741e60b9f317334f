package ports

import (
	"fmt"
	"maps"
	"net"
	"slices"
)

// listenersOf returns the addresses on which the gateway listens, in the order of their keys: those of the components that service
// names, without exporters, whose endpoints are remote, and those of the gateway's own telemetry.
func listenersOf(whole map[string]any) (all []listener) {
	service := mapOf(whole["service"])
	for _, section := range []string{"extensions", "receivers", "processors", "connectors"} {
		components := mapOf(whole[section])
		for _, id := range slices.Sorted(maps.Keys(components)) {
			if section == "extensions" && !names(service["extensions"], id) || section != "extensions" && !inPipeline(service, id) {
				continue
			}
			all = append(all, endpoints(section+"::"+id, components[id])...)
		}
	}
	return append(all, readers("service::telemetry::metrics::readers", mapOf(mapOf(service["telemetry"])["metrics"])["readers"])...)
}

// endpoints returns the host:port values of all keys named endpoint, at a key and below it.
func endpoints(key string, value any) (all []listener) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if text, ok := value[name].(string); ok && name == "endpoint" {
				if _, _, err := net.SplitHostPort(text); err == nil {
					all = append(all, listener{key: key + "::endpoint", address: text})
				}
				continue
			}
			all = append(all, endpoints(key+"::"+name, value[name])...)
		}
	case []any:
		for i, v := range value {
			all = append(all, endpoints(fmt.Sprintf("%s[%d]", key, i), v)...)
		}
	}
	return all
}

// readers returns the addresses on which the Collector serves its own metrics, which have keys for host and port.
func readers(key string, value any) (all []listener) {
	switch value := value.(type) {
	case map[string]any:
		if host, ok := value["host"].(string); ok && value["port"] != nil {
			all = append(all, listener{key + "::port", net.JoinHostPort(host, fmt.Sprint(value["port"])), true})
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, readers(key+"::"+name, value[name])...)
		}
	case []any:
		for i, v := range value {
			all = append(all, readers(fmt.Sprintf("%s[%d]", key, i), v)...)
		}
	}
	return all
}

// inPipeline reports whether a pipeline has the component.
func inPipeline(service map[string]any, id string) bool {
	for _, pipeline := range mapOf(service["pipelines"]) {
		for _, list := range mapOf(pipeline) {
			if names(list, id) {
				return true
			}
		}
	}
	return false
}

// names reports whether a list has the component.
func names(list any, id string) bool {
	ids, _ := list.([]any)
	return slices.ContainsFunc(ids, func(v any) bool { return fmt.Sprint(v) == id })
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
