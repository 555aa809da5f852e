{{/* How the services reach PostgreSQL, Kafka, SMTP and each other: addresses, secrets, certificates.
     All take (dict "root" $ "name" "users"). */}}

{{/* The Secret with tls.crt, tls.key and ca.crt of a part of this release. */}}
{{- define "tasklane.tlsSecret" -}}
{{- $own := get .root.Values.tls.existingSecrets .name -}}
{{- if and (eq .root.Values.tls.source "secret") $own -}}{{- $own -}}
{{- else -}}{{- printf "%s-%s-tls" (include "tasklane.fullname" .root) .name -}}{{- end -}}
{{- end -}}

{{/* The Secret key with PostgreSQL's CA, as YAML {name, key}, or nothing if none is needed. */}}
{{- define "tasklane.postgresqlCa" -}}
{{- $postgresql := .root.Values.postgresql -}}
{{- if eq $postgresql.mode "cloudnativepg" }}
name: {{ include "tasklane.fullname" .root }}-postgresql-ca
key: ca.crt
{{- else if eq $postgresql.mode "external" }}
{{- with $postgresql.external.caSecret }}{{ if .name }}{{ toYaml . }}{{ end }}{{ end }}
{{- else if .root.Values.tls.enabled }}
name: {{ include "tasklane.tlsSecret" . }}
key: ca.crt
{{- end }}
{{- end -}}

{{- define "tasklane.kafkaCa" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if eq $kafka.mode "strimzi" }}
name: {{ include "tasklane.fullname" .root }}-kafka-cluster-ca-cert
key: ca.crt
{{- else if eq $kafka.mode "external" }}
{{- with $kafka.external.caSecret }}{{ if .name }}{{ toYaml . }}{{ end }}{{ end }}
{{- else if .root.Values.tls.enabled }}
name: {{ include "tasklane.tlsSecret" . }}
key: ca.crt
{{- end }}
{{- end -}}

{{/* The Secret with username and password of a service's role in mode cloudnativepg. */}}
{{- define "tasklane.cloudnativepgSecret" -}}
{{- get .root.Values.postgresql.cloudnativepg.existingSecrets .name | default (printf "%s-postgresql-%s" (include "tasklane.fullname" .root) .name) -}}
{{- end -}}

{{/* DATABASE_URL: from the Secret with URLs, or built from a password in a Secret. */}}
{{- define "tasklane.databaseEnv" -}}
{{- $full := include "tasklane.fullname" .root -}}
{{- $postgresql := .root.Values.postgresql -}}
{{- $tls := ternary "?sslmode=verify-full&sslrootcert=/etc/tasklane/postgresql/ca.crt" "" (not (empty (include "tasklane.postgresqlCa" . | trim))) -}}
{{- if eq $postgresql.mode "external" }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ $postgresql.external.existingSecret | default (printf "%s-database-urls" $full) }}
      key: {{ .name }}-url
{{- else if eq $postgresql.mode "cloudnativepg" }}
- name: DATABASE_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "tasklane.cloudnativepgSecret" . }}, key: password } }
- name: DATABASE_URL
  value: postgres://{{ .name }}:$(DATABASE_PASSWORD)@{{ $full }}-postgresql-rw:5432/{{ .name }}{{ $tls }}
{{- else }}
- name: DATABASE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $postgresql.embedded.existingSecret | default (printf "%s-postgresql" $full) }}
      key: {{ .name }}-password
- name: DATABASE_URL
  value: postgres://{{ .name }}:$(DATABASE_PASSWORD)@{{ $full }}-postgresql:5432/{{ .name }}{{ $tls }}
{{- end }}
{{- end -}}

{{/* Login at Kafka, where there is one. */}}
{{- define "tasklane.kafkaEnv" -}}
{{- with include "tasklane.kafkaLogin" . | fromYaml }}
{{- with .usernameSecret }}
- name: KAFKA_USERNAME
  valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } }
{{- end }}
- name: KAFKA_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .passwordSecret.name }}, key: {{ .passwordSecret.key }} } }
{{- end }}
{{- end -}}

{{/* Where Kafka's brokers are, for a pod of this namespace, or for one elsewhere: (dict "root" $ "from" "elsewhere"). */}}
{{- define "tasklane.kafkaBrokers" -}}
{{- $full := include "tasklane.fullname" .root -}}
{{- $domain := ternary (printf ".%s.svc" .root.Release.Namespace) "" (eq .from "elsewhere") -}}
{{- $kafka := .root.Values.kafka -}}
{{- if eq $kafka.mode "strimzi" -}}{{ $full }}-kafka-kafka-bootstrap{{ $domain }}:9093
{{- else if eq $kafka.mode "external" -}}{{ $kafka.external.brokers }}
{{- else -}}{{ $full }}-kafka{{ $domain }}:9092
{{- end -}}
{{- end -}}

{{/* Where Kafka is: for the ConfigMap. */}}
{{- define "tasklane.kafkaConfig" -}}
{{- $kafka := .root.Values.kafka -}}
KAFKA_BROKERS: {{ include "tasklane.kafkaBrokers" (dict "root" .root "from" "here") }}
KAFKA_TLS: {{ get (dict "strimzi" true "external" $kafka.external.tls "embedded" .root.Values.tls.enabled) $kafka.mode | quote }}
{{- with include "tasklane.kafkaLogin" . | fromYaml }}
{{- with .username }}
KAFKA_USERNAME: {{ . }}
{{- end }}
KAFKA_SASL_MECHANISM: {{ .mechanism }}
{{- end }}
{{- if include "tasklane.kafkaCa" . | trim }}
KAFKA_CA_FILE_PATH: /etc/tasklane/kafka/ca.crt
{{- end }}
{{- end -}}

{{/* A service's name as the prefix of an environment variable. */}}
{{- define "tasklane.variable" -}}
{{- upper . | replace "-" "_" -}}
{{- end -}}

{{/* A service's settings without secrets, as YAML: what the chart knows, overridden by `config`. */}}
{{- define "tasklane.settings" -}}
{{- $settings := include "tasklane.ownSettings" . | fromYaml -}}
{{- range $key, $value := .app.config }}{{ $_ := set $settings $key (include "tasklane.plain" $value) }}{{ end -}}
{{- range $key, $value := $settings }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "tasklane.ownSettings" -}}
{{- $full := include "tasklane.fullname" .root -}}
{{- $values := .root.Values -}}
{{- $issuer := include "tasklane.issuer" .root -}}
{{- $apps := include "tasklane.apps" .root | fromJson -}}
{{ include "tasklane.kafkaConfig" . | trim }}
TRUSTED_HOPS: {{ $values.trustedHops | quote }}
{{- with $values.telemetry.otlpEndpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . }}
{{- end }}
{{- if not .app.issuesTokens }}
{{- if $values.tls.enabled }}
JWKS_URL: https://{{ $full }}-{{ $issuer }}:8443/.well-known/jwks.json
JWKS_CA_FILE_PATH: /etc/tasklane/tls/ca.crt
{{- else }}
JWKS_URL: http://{{ $full }}-{{ $issuer }}:{{ (include "tasklane.tools" .root | fromJson).service.port }}/.well-known/jwks.json
{{- end }}
{{- else if $values.tls.enabled }}
HTTPS_CERT_PATH: /etc/tasklane/tls/tls.crt
HTTPS_KEY_PATH: /etc/tasklane/tls/tls.key
{{- end }}
{{- if or .app.issuesTokens .app.sendsMail }}
PUBLIC_URL: {{ include "tasklane.publicUrl" .root | quote }}
{{- end }}
{{- range .app.calls }}
{{- $callee := get $apps . }}
{{- if $callee.grpc }}
{{ include "tasklane.variable" . }}_GRPC_URL: {{ $full }}-{{ . }}:50051
{{- else }}
{{ include "tasklane.variable" . }}_URL: http://{{ $full }}-{{ . }}:{{ $callee.service.port }}
{{- end }}
{{- end }}
{{- if and $values.tls.enabled (or .app.grpc .app.calls) }}
GRPC_TLS_CERT_PATH: /etc/tasklane/tls/tls.crt
GRPC_TLS_KEY_PATH: /etc/tasklane/tls/tls.key
GRPC_TLS_CA_PATH: /etc/tasklane/tls/ca.crt
{{- if .app.grpc }}
{{- $callers := list -}}
{{- range include "tasklane.callers" . | trim | splitList " " | compact -}}{{- $callers = append $callers (printf "%s-%s" $full .) -}}{{- end }}
GRPC_ALLOWED_CALLERS: {{ join "," $callers }}
{{- end }}
{{- end }}
{{- if .app.sendsMail }}
MAIL_FROM: {{ $values.smtp.from | quote }}
{{- if and $values.tls.enabled (eq $values.smtp.mode "embedded") }}
SMTP_CA_FILE_PATH: /etc/tasklane/tls/ca.crt
{{- end }}
{{- end }}
{{- end -}}

{{/* The secrets of a service as environment variables. */}}
{{- define "tasklane.secretEnv" -}}
{{- $full := include "tasklane.fullname" .root -}}
{{- include "tasklane.databaseEnv" . }}
{{- include "tasklane.kafkaEnv" . }}
{{- range $variable, $key := .app.secrets }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $.app.existingSecret | default (printf "%s-%s" $full $.name) }}
      key: {{ $key }}
{{- end }}
{{- if .app.sendsMail }}
{{- $smtp := .root.Values.smtp }}
- name: SMTP_URL
{{- if eq $smtp.mode "embedded" }}
  value: {{ printf "%s://%s-mailpit:1025" (ternary "smtps" "smtp" .root.Values.tls.enabled) $full }}
{{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ $smtp.external.existingSecret.name | default (printf "%s-smtp" $full) }}
      key: {{ $smtp.external.existingSecret.key }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Volumes with certificates, and their mounts. */}}
{{- define "tasklane.certificateVolumes" -}}
{{- $root := .root -}}
{{- range $part, $ca := dict "postgresql" (include "tasklane.postgresqlCa" .) "kafka" (include "tasklane.kafkaCa" .) }}
{{- with fromYaml $ca }}
- name: {{ $part }}-ca
  secret: { secretName: {{ .name }}, items: [{ key: {{ .key }}, path: ca.crt }] }
{{- end }}
{{- end }}
{{- if $root.Values.tls.enabled }}
- name: tls
  secret: { secretName: {{ include "tasklane.tlsSecret" . }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{- define "tasklane.certificateMounts" -}}
{{- if include "tasklane.postgresqlCa" . | trim }}
- { name: postgresql-ca, mountPath: /etc/tasklane/postgresql, readOnly: true }
{{- end }}
{{- if include "tasklane.kafkaCa" . | trim }}
- { name: kafka-ca, mountPath: /etc/tasklane/kafka, readOnly: true }
{{- end }}
{{- if .root.Values.tls.enabled }}
- { name: tls, mountPath: /etc/tasklane/tls, readOnly: true }
{{- end }}
{{- end -}}
