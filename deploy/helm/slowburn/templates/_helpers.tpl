{{- define "slowburn.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* The name of all objects. 52 characters leave room for what Kubernetes and the chart append. */ -}}
{{- define "slowburn.fullname" -}}
{{- $name := include "slowburn.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "slowburn.selectorLabels" -}}
app.kubernetes.io/name: {{ include "slowburn.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "slowburn.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "slowburn.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "slowburn.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "slowburn.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "slowburn.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* A quantity of Kubernetes in MiB, rounded down. Takes {key, value}. */ -}}
{{- define "slowburn.mebibytes" -}}
{{- $text := toString .value -}}
{{- if not (regexMatch "^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$" $text) -}}
{{- fail (printf "%s: %s is not a quantity of bytes; write it with a unit, such as 20Gi" .key $text) -}}
{{- end -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- $factors := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- divf (mulf (trimSuffix $unit $text | float64) (get $factors $unit | float64)) 1048576 | floor | int64 -}}
{{- end -}}

{{- /* A duration of Go in whole seconds, rounded up. Takes {key, value}. */ -}}
{{- define "slowburn.seconds" -}}
{{- $text := toString .value -}}
{{- if not (regexMatch "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$" $text) -}}
{{- fail (printf "%s: %s is not a duration; write it with a unit, such as 10s" .key $text) -}}
{{- end -}}
{{- $factors := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 -}}
{{- $sum := 0.0 -}}
{{- range regexFindAll "[0-9]+(\\.[0-9]+)?(ms|s|m|h)" $text -1 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $sum = addf $sum (mulf (trimSuffix $unit . | float64) (get $factors $unit | float64)) -}}
{{- end -}}
{{- ceil $sum | int64 -}}
{{- end -}}

{{- /* The shipped config.yaml, merged with the settings for a pod, and with the user's configuration: as YAML. */ -}}
{{- define "slowburn.config" -}}
{{- $shipped := .Files.Get "files/config.yaml" | fromYaml -}}
{{- $listen := .Values.listenAddress -}}
{{- $memory := include "slowburn.mebibytes" (dict "key" "resources.limits.memory" "value" (dig "limits" "memory" "" .Values.resources | required "resources.limits.memory is missing: memory_budget is a part of it")) | int64 -}}
{{- if lt $memory 256 -}}
{{- fail (printf "resources.limits.memory: %s is too small; write at least 256Mi" .Values.resources.limits.memory) -}}
{{- end -}}
{{- $disk := include "slowburn.mebibytes" (dict "key" "persistence.size" "value" .Values.persistence.size) | int64 -}}
{{- if lt $disk 2048 -}}
{{- fail (printf "persistence.size: %s is too small for the span log, the TSDB and the trace store; write at least 2Gi" .Values.persistence.size) -}}
{{- end -}}
{{- /* In a small pod the other parts need more than half: see docs/configuration.md, Memory. */ -}}
{{- $budget := div $memory 2 -}}
{{- if lt $memory 1024 -}}
{{- $budget = max 16 (sub (div (mul $memory 11) 16) 192) -}}
{{- end -}}
{{- $sampling := dict
  "memory_budget" (printf "%dMiB" (int64 $budget))
  "disk_budget" (printf "%dMiB" (div (mul $disk 2) 5))
  "watch" .Values.watch
  "policies" "${file:/etc/slowburn/policies/policies.yaml}"
  "shadow" "${file:/etc/slowburn/policies/shadow.yaml}" -}}
{{- $pod := dict
  "receivers" (dict "otlp" (dict "protocols" (dict
    "grpc" (dict "endpoint" (printf "%s:4317" $listen))
    "http" (dict "endpoint" (printf "%s:4318" $listen)))))
  "processors" (dict "tail_sampling" $sampling)
  "exporters" (dict "trace_store" (dict "max_bytes" (printf "%dMiB" (div $disk 10))))
  "extensions" (dict
    "tsdb" (dict "retention_size" (printf "%dMiB" (div (mul $disk 3) 10)))
    "web" (dict "endpoint" (printf "%s:8080" $listen)))
  "service" (dict "telemetry" (dict
    "resource" (dict "service.instance.id" "${env:POD_NAME}")
    "metrics" (dict "readers" (list (dict "pull" (dict "exporter" (dict "prometheus" (dict "host" $listen "port" 8888)))))))) -}}
{{- $own := .Values.config | default dict -}}
{{- range $key := list "policies" "shadow" "watch" -}}
{{- if hasKey (dig "processors" "tail_sampling" dict $own | default dict) $key -}}
{{- fail (printf "config.processors.tail_sampling.%s: write it under %s, which has a ConfigMap of its own" $key $key) -}}
{{- end -}}
{{- end -}}
{{- $merged := mergeOverwrite $shipped $pod (deepCopy $own) -}}
{{- if kindIs "map" (dig "extensions" "web" "" $merged) -}}
{{- $names := concat (include "slowburn.hosts" . | fromYamlArray) (dig "extensions" "web" "hosts" list $own | default list) -}}
{{- $_ := set $merged.extensions.web "hosts" (uniq $names) -}}
{{- end -}}
{{- include "slowburn.removeNulls" (dict "of" $merged) -}}
{{- include "slowburn.checkGrace" (dict "root" . "config" $merged) -}}
{{- include "slowburn.checkBudgets" (dict "root" . "config" $merged "memory" $memory "disk" $disk) -}}
{{- include "slowburn.checkEnv" (dict "root" . "config" $merged) -}}
{{- include "slowburn.checkSecrets" (dict "at" "config" "of" $merged) -}}
{{- toYaml $merged -}}
{{- end -}}

{{- /* The names of the dashboard: those of its Service, and those under which it is published. A list as YAML. */ -}}
{{- define "slowburn.hosts" -}}
{{- $name := include "slowburn.fullname" . -}}
{{- $svc := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts := list $name $svc (printf "%s.svc" $svc) (printf "%s.svc.%s" $svc .Values.clusterDomain) -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = concat $hosts .Values.ingress.hosts -}}{{- end -}}
{{- if .Values.httpRoute.enabled -}}{{- $hosts = concat $hosts .Values.httpRoute.hostnames -}}{{- end -}}
{{- toYaml $hosts -}}
{{- end -}}

{{- /* Removes keys that are null, by which users remove shipped keys; {} stays. */ -}}
{{- define "slowburn.removeNulls" -}}
{{- $of := .of -}}
{{- range $key, $value := $of -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $of $key -}}
{{- else if kindIs "map" $value -}}
{{- include "slowburn.removeNulls" (dict "of" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "slowburn.checkGrace" -}}
{{- $timeout := dig "processors" "tail_sampling" "shutdown_timeout" "10s" .config -}}
{{- $seconds := include "slowburn.seconds" (dict "key" "config.processors.tail_sampling.shutdown_timeout" "value" $timeout) | int64 -}}
{{- if lt (int64 .root.Values.terminationGracePeriodSeconds) (add $seconds 15) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short for tail_sampling::shutdown_timeout (%s); write at least %d" (int64 .root.Values.terminationGracePeriodSeconds) $timeout (add $seconds 15)) -}}
{{- end -}}
{{- end -}}

{{- /* A size in the gateway's configuration in MiB, rounded down; 0 if it is invalid, which the gateway reports, or comes from the environment. */ -}}
{{- define "slowburn.configMebibytes" -}}
{{- $text := toString . -}}
{{- if kindIs "float64" . -}}{{- $text = printf "%.0f" . -}}{{- end -}}
{{- $text = $text | replace " " "" | replace "K" "k" | replace "ki" "Ki" | trimSuffix "B" -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$" $text -}}
{{- include "slowburn.mebibytes" (dict "key" "config" "value" $text) -}}
{{- else -}}0{{- end -}}
{{- end -}}

{{- /* Budgets that the user sets have to fit into the pod's memory and volume. */ -}}
{{- define "slowburn.checkBudgets" -}}
{{- $sampling := dig "processors" "tail_sampling" dict .config -}}
{{- $most := div (mul .memory 3) 4 -}}
{{- if gt (include "slowburn.configMebibytes" (get $sampling "memory_budget") | int64) $most -}}
{{- fail (printf "config.processors.tail_sampling.memory_budget: %v is too large for resources.limits.memory (%v); write at most %dMiB, or raise the limit" (get $sampling "memory_budget") .root.Values.resources.limits.memory $most) -}}
{{- end -}}
{{- $sum := 0 -}}{{- $parts := list -}}
{{- range $key, $value := dict
  "config.processors.tail_sampling.disk_budget" (get $sampling "disk_budget")
  "config.extensions.tsdb.retention_size" (dig "extensions" "tsdb" "retention_size" "" .config)
  "config.exporters.trace_store.max_bytes" (dig "exporters" "trace_store" "max_bytes" "" .config) -}}
{{- $size := include "slowburn.configMebibytes" $value | int64 -}}
{{- if gt $size 0 -}}{{- $sum = add $sum $size -}}{{- $parts = append $parts (printf "%s (%v)" $key $value) -}}{{- end -}}
{{- end -}}
{{- if gt $sum .disk -}}
{{- fail (printf "persistence.size: %s is too small for %s; write at least %dMi, and a fifth more for slo.db and compaction, or lower these" .root.Values.persistence.size (join ", " $parts) $sum) -}}
{{- end -}}
{{- end -}}

{{- /* The names of ${env:NAME} in the configuration that the pod does not set by itself, separated by spaces: the Secret has them. Takes {root, config}. */ -}}
{{- define "slowburn.secretNames" -}}
{{- $known := list "POD_NAME" "SLOWBURN_DATA_DIR" "GOMEMLIMIT" -}}
{{- range .root.Values.env -}}{{- $known = append $known .name -}}{{- end -}}
{{- $names := list -}}
{{- range regexFindAll "\\$\\{env:[A-Za-z_][A-Za-z0-9_]*\\}" (toYaml .config) -1 -}}
{{- $name := . | trimPrefix "${env:" | trimSuffix "}" -}}
{{- if not (has $name $known) -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- $names | uniq | sortAlpha | join " " -}}
{{- end -}}

{{- /* An environment variable that nothing sets would be empty, and the gateway would start with a wrong configuration. */ -}}
{{- define "slowburn.checkEnv" -}}
{{- if not .root.Values.existingSecret -}}
{{- with include "slowburn.secretNames" . -}}
{{- fail (printf "config: nothing sets ${env:%s}; name the Secret that has it in existingSecret, or set it in env" (splitList " " . | first)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Everybody can read a credential in a ConfigMap. Takes {at, of}: any key that is named like one, at any depth. */ -}}
{{- define "slowburn.checkSecrets" -}}
{{- $at := .at -}}
{{- if kindIs "map" .of -}}
{{- range $key, $value := .of -}}
{{- if and (kindIs "string" $value) (regexMatch "(?i)(^|[-_])(authorization|token|password|secret|api[-_]?key)$" $key) (ne $value "") (not (regexMatch "\\$\\{(env|file):" $value)) -}}
{{- fail (printf "%s.%s is a secret, and would be in the ConfigMap; write ${env:NAME}, and NAME into the Secret that existingSecret names" $at $key) -}}
{{- end -}}
{{- include "slowburn.checkSecrets" (dict "at" (printf "%s.%s" $at $key) "of" $value) -}}
{{- end -}}
{{- else if kindIs "slice" .of -}}
{{- range $i, $value := .of -}}
{{- include "slowburn.checkSecrets" (dict "at" (printf "%s[%d]" $at $i) "of" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* HTTP, or HTTPS where the dashboard has a certificate. */ -}}
{{- define "slowburn.webScheme" -}}
{{- if dig "extensions" "web" "tls" dict .Values.config -}}HTTPS{{- else -}}HTTP{{- end -}}
{{- end -}}
