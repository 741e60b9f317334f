// Modules that have the CRDs of custom resources in them, against which deploy/check-chart holds those of ours. Nothing is built from them:
// `go mod download` fetches them and checks their sums.
module github.com/slowburn/slowburn/tools/crds

go 1.26.0

require (
	github.com/open-telemetry/opentelemetry-operator v0.143.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.4.0
)
