{{- define "rocketmq-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "rocketmq-exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "rocketmq-exporter.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "rocketmq-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "rocketmq-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rocketmq-exporter.labels" -}}
{{ include "rocketmq-exporter.selectorLabels" . }}
app.kubernetes.io/component: exporter
app.kubernetes.io/version: {{ include "rocketmq-exporter.label" .Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | include "rocketmq-exporter.label" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A text as the value of a label, quoted. */}}
{{- define "rocketmq-exporter.label" -}}
{{- regexReplaceAll "[^A-Za-z0-9_.-]" . "_" | trunc 63 | trimAll "_.-" | quote -}}
{{- end -}}

{{/* The labels of the original exporter, which scrape jobs relabel by. */}}
{{- define "rocketmq-exporter.originalLabels" -}}
exporter: rocketmq
rocketClusterName: {{ default .Release.Name .Values.labels.rocketClusterName | include "rocketmq-exporter.label" }}
{{- $addr := .Values.labels.namesrvAddr -}}
{{- if not $addr -}}
{{- $hosts := list -}}
{{- range .Values.namesrv -}}
{{- $hosts = append $hosts (regexReplaceAll ":[0-9]+$" . "") -}}
{{- end -}}
{{- $addr = join "_" $hosts -}}
{{- end -}}
{{- if and (not $addr) .Values.console.url -}}
{{- $addr = regexReplaceAll "^[a-z]+://|[:/].*$" .Values.console.url "" -}}
{{- end -}}
{{- with $addr }}
namesrvAddr: {{ include "rocketmq-exporter.label" . }}
{{- end }}
{{- end -}}

{{- define "rocketmq-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "rocketmq-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "rocketmq-exporter.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The files of the Secret that the chart makes, by name, as YAML. */}}
{{- define "rocketmq-exporter.secretFiles" -}}
{{- $files := deepCopy .Values.secrets.files -}}
{{- with .Values.console.password -}}
{{- $_ := set $files "console-password" . -}}
{{- end -}}
{{- with .Values.web.config -}}
{{- $_ := set $files "web.yml" (toYaml .) -}}
{{- end -}}
{{- with $files -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- define "rocketmq-exporter.scheme" -}}
{{- if .Values.web.scheme -}}
{{- .Values.web.scheme -}}
{{- else if hasKey .Values.web.config "tls_server_config" -}}
https
{{- else -}}
http
{{- end -}}
{{- end -}}

{{/* "yes" where whoever asks must have a password or a certificate. The kubelet has none. */}}
{{- define "rocketmq-exporter.asksWho" -}}
{{- if or .Values.web.configFromSecret .Values.web.config.basic_auth_users (dig "tls_server_config" "client_auth_type" "" .Values.web.config) -}}
yes
{{- end -}}
{{- end -}}

{{- define "rocketmq-exporter.probe" -}}
{{- if include "rocketmq-exporter.asksWho" .root -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
  {{- if eq (include "rocketmq-exporter.scheme" .root) "https" }}
  scheme: HTTPS
  {{- end }}
{{- end }}
{{- with .values }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What is wrong with the values beyond what their schema can say. */}}
{{- define "rocketmq-exporter.check" -}}
{{- $v := .Values -}}
{{- $sources := list -}}
{{- if $v.namesrv -}}{{- $sources = append $sources "namesrv" -}}{{- end -}}
{{- if $v.console.url -}}{{- $sources = append $sources "console.url" -}}{{- end -}}
{{- if $v.config.clusters -}}{{- $sources = append $sources "config.clusters" -}}{{- end -}}
{{- if $v.demo -}}{{- $sources = append $sources "demo" -}}{{- end -}}
{{- if gt (len $sources) 1 -}}
{{- fail (printf "%s are set: only one of them can say where RocketMQ is" (join " and " $sources)) -}}
{{- end -}}
{{- if not (or $sources $v.extraArgs $v.extraEnv $v.extraEnvFrom) -}}
{{- fail "where is RocketMQ? Set namesrv, console.url or config.clusters, or demo to try it without one" -}}
{{- end -}}
{{- if and $v.demo $v.config -}}
{{- fail "demo brings its own settings: leave config out" -}}
{{- end -}}
{{- if and $v.console.password $v.console.existingSecret -}}
{{- fail "console.password and console.existingSecret are set: only one of them can be the password" -}}
{{- end -}}
{{- if and $v.console.username (not $v.console.url) -}}
{{- fail "console.username is set, and console.url is not" -}}
{{- end -}}
{{- if and $v.web.config $v.web.configFromSecret -}}
{{- fail "web.config and web.configFromSecret are set: only one of them can be web.yml" -}}
{{- end -}}
{{- if and $v.web.configFromSecret (not $v.secrets.existing) -}}
{{- fail "web.configFromSecret is set, and secrets.existing names no Secret that has a web.yml" -}}
{{- end -}}
{{- if and (gt (int $v.shards) 1) (ne (int $v.replicaCount) 1) -}}
{{- fail "shards and replicaCount are set: there is one pod for each shard" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled $v.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled are set: everything would be scraped twice" -}}
{{- end -}}
{{- end -}}
