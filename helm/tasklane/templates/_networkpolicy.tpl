{{/* Rules of NetworkPolicies: who is meant is always a pod of this release. */}}

{{/* A peer by component: (dict "root" $ "component" "users"). */}}
{{- define "tasklane.peer" -}}
- podSelector:
    matchLabels:
      {{- include "tasklane.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/* A peer by the label of clients: (dict "root" $ "server" "kafka"). */}}
{{- define "tasklane.clients" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
      tasklane.{{ .server }}: client
{{- end -}}

{{- define "tasklane.dnsEgress" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - { port: {{ .Values.networkPolicy.dns.port }}, protocol: UDP }
    - { port: {{ .Values.networkPolicy.dns.port }}, protocol: TCP }
{{- end -}}

{{/* To a server outside this release: (dict "port" 5432 "cidrs" list). */}}
{{- define "tasklane.outsideEgress" -}}
- ports: [{ port: {{ .port }}, protocol: TCP }]
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: { cidr: {{ . }} }
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "tasklane.postgresqlEgress" -}}
{{- $postgresql := .Values.postgresql -}}
{{- if eq $postgresql.mode "external" -}}
{{- include "tasklane.outsideEgress" $postgresql.external -}}
{{- else -}}
- to:
    {{- if eq $postgresql.mode "cloudnativepg" }}
    - podSelector: { matchLabels: { cnpg.io/cluster: {{ include "tasklane.fullname" . }}-postgresql } }
    {{- else }}
    {{- include "tasklane.peer" (dict "root" . "component" "postgresql") | nindent 4 }}
    {{- end }}
  ports: [{ port: 5432, protocol: TCP }]
{{- end -}}
{{- end -}}

{{- define "tasklane.kafkaEgress" -}}
{{- $kafka := .Values.kafka -}}
{{- if eq $kafka.mode "external" -}}
{{- include "tasklane.outsideEgress" $kafka.external -}}
{{- else if eq $kafka.mode "strimzi" -}}
- to:
    - podSelector: { matchLabels: { strimzi.io/cluster: {{ include "tasklane.fullname" . }}-kafka } }
  ports: [{ port: 9093, protocol: TCP }]
{{- else -}}
- to:
    {{- include "tasklane.peer" (dict "root" . "component" "kafka") | nindent 4 }}
  ports: [{ port: 9092, protocol: TCP }]
{{- end -}}
{{- end -}}

{{- define "tasklane.smtpEgress" -}}
{{- $smtp := .Values.smtp -}}
{{- if eq $smtp.mode "external" -}}
{{- include "tasklane.outsideEgress" $smtp.external -}}
{{- else -}}
- to:
    {{- include "tasklane.peer" (dict "root" . "component" "mailpit") | nindent 4 }}
  ports: [{ port: 1025, protocol: TCP }]
{{- end -}}
{{- end -}}

{{/* The head of a policy for a component, which isolates its pods in both directions. */}}
{{- define "tasklane.policyHead" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "tasklane.metadata" (merge (dict "name" (printf "%s-%s" (include "tasklane.fullname" .root) .component)) .) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "tasklane.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}
