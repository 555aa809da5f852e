{{/* The parts of this release that have a certificate. */}}
{{- define "tasklane.tlsParts" -}}
{{- $parts := splitList " " (include "tasklane.services" .) -}}
{{- range $part, $mode := dict "postgresql" .Values.postgresql.mode "kafka" .Values.kafka.mode "mailpit" .Values.smtp.mode -}}
{{- if eq $mode "embedded" -}}{{- $parts = append $parts $part -}}{{- end -}}
{{- end -}}
{{- join " " $parts -}}
{{- end -}}

{{/* The names in a part's certificate: its Service's. */}}
{{- define "tasklane.tlsNames" -}}
{{- $service := printf "%s-%s" (include "tasklane.fullname" .root) .part -}}
- {{ $service }}
- {{ $service }}.{{ .root.Release.Namespace }}
- {{ $service }}.{{ .root.Release.Namespace }}.svc
- {{ $service }}.{{ .root.Release.Namespace }}.svc.cluster.local
- localhost
{{- end -}}

{{- define "tasklane.ingressTlsSecret" -}}
{{- .Values.ingress.tls.secretName | default (printf "%s-ingress-tls" (include "tasklane.fullname" .)) -}}
{{- end -}}
