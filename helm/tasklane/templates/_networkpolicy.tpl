{{/* Rules of NetworkPolicies; every peer is a pod of this release. */}}

{{/* A peer by component: (dict "root" $ "component" "users"). */}}
{{- define "tasklane.peer" -}}
- podSelector:
    matchLabels:
      {{- include "tasklane.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/* The services that call a service: (dict "root" $ "name" "users"). */}}
{{- define "tasklane.callers" -}}
{{- range $name, $app := include "tasklane.apps" .root | fromJson -}}
{{- if has $.name $app.calls }}{{ $name }} {{ end -}}
{{- end -}}
{{- end -}}

{{- define "tasklane.senders" -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson -}}
{{- if $app.sendsMail }}{{ $name }} {{ end -}}
{{- end -}}
{{- end -}}

{{/* A peer by the label of clients: (dict "root" $ "server" "kafka"). */}}
{{- define "tasklane.clients" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
      tasklane.{{ .server }}: client
{{- end -}}

{{/* Ports of a rule: (dict "root" $ "ports" (list 8080)). Traffic in a mesh may arrive on the mesh's port instead. */}}
{{- define "tasklane.ports" -}}
ports:
  {{- range concat .ports (get (dict "istio-ambient" (list 15008) "linkerd" (list 4143)) .root.Values.networkPolicy.mesh | default list) }}
  - { port: {{ . }}, protocol: TCP }
  {{- end }}
{{- end -}}

{{/* To the control plane, from which each sidecar gets certificates and routes; in an ambient mesh the node's proxy does. */}}
{{- define "tasklane.meshEgress" -}}
{{- with get (dict "istio" (dict "istio-system" (list 15012)) "linkerd" (dict "linkerd" (list 8080 8086 8090))) .Values.networkPolicy.mesh }}
{{- range $namespace, $ports := . }}
- to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ $namespace }} } } }]
  ports:
    {{- range $ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The same for servers without egress of their own. */}}
{{- define "tasklane.sidecarEgress" -}}
{{- if has .Values.networkPolicy.mesh (list "istio" "linkerd") -}}
egress:
  {{- include "tasklane.dnsEgress" . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* In an ambient mesh the kubelet's probes come from these addresses. */}}
{{- define "tasklane.meshIngress" -}}
{{- if eq .Values.networkPolicy.mesh "istio-ambient" -}}
- from:
    - ipBlock: { cidr: 169.254.7.127/32 }
    - ipBlock: { cidr: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128" }
{{- end -}}
{{- end -}}

{{- define "tasklane.dnsEgress" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - { port: {{ .Values.networkPolicy.dns.port }}, protocol: UDP }
    - { port: {{ .Values.networkPolicy.dns.port }}, protocol: TCP }
{{- include "tasklane.meshEgress" . }}
{{- end -}}

{{/* The port of an address, or its scheme's default: (dict "address" "smtps://user:password@host"). */}}
{{- define "tasklane.portOf" -}}
{{- $scheme := regexFind "^[a-z]+://" .address -}}
{{- $host := .address | trimPrefix $scheme | regexFind "^[^/?#]*" -}}
{{- $known := dict "postgres://" 5432 "postgresql://" 5432 "smtp://" 587 "smtps://" 465 "http://" 80 "https://" 443 -}}
{{- regexFind ":[0-9]+$" $host | trimPrefix ":" | default (get $known $scheme) -}}
{{- end -}}

{{/* To servers outside this release: (dict "addresses" list "port" 5432 "cidrs" list). The port is used if the addresses are in a
     Secret and the list is empty. */}}
{{- define "tasklane.outsideEgress" -}}
{{- $ports := list -}}
{{- range .addresses -}}
{{- $ports = append $ports (include "tasklane.portOf" (dict "address" .)) -}}
{{- end -}}
- ports:
    {{- range uniq $ports | default (list .port) }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: { cidr: {{ . }} }
    {{- end }}
  {{- end }}
{{- end -}}

{{/* To the databases of services: (dict "root" $ "services" (list "users")). */}}
{{- define "tasklane.postgresqlEgress" -}}
{{- $postgresql := .root.Values.postgresql -}}
{{- if eq $postgresql.mode "external" -}}
{{- $urls := list -}}
{{- if not $postgresql.external.existingSecret -}}
{{- range .services }}{{ $urls = append $urls (get $postgresql.external.urls .) }}{{ end -}}
{{- end -}}
{{- include "tasklane.outsideEgress" (merge (dict "addresses" $urls) $postgresql.external) -}}
{{- else -}}
- to:
    {{- if eq $postgresql.mode "cloudnativepg" }}
    - podSelector: { matchLabels: { cnpg.io/cluster: {{ include "tasklane.fullname" .root }}-postgresql } }
    {{- else }}
    {{- include "tasklane.peer" (dict "root" .root "component" "postgresql") | nindent 4 }}
    {{- end }}
  {{- include "tasklane.ports" (dict "root" .root "ports" (list 5432)) | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "tasklane.kafkaEgress" -}}
{{- $kafka := .Values.kafka -}}
{{- if eq $kafka.mode "external" -}}
{{- include "tasklane.outsideEgress" (dict "addresses" (splitList "," $kafka.external.brokers) "cidrs" $kafka.external.cidrs) -}}
{{- else if eq $kafka.mode "strimzi" -}}
- to:
    - podSelector: { matchLabels: { strimzi.io/cluster: {{ include "tasklane.fullname" . }}-kafka } }
  {{- include "tasklane.ports" (dict "root" . "ports" (list 9093)) | nindent 2 }}
{{- else -}}
- to:
    {{- include "tasklane.peer" (dict "root" . "component" "kafka") | nindent 4 }}
  {{- include "tasklane.ports" (dict "root" . "ports" (list 9092)) | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "tasklane.smtpEgress" -}}
{{- $smtp := .Values.smtp -}}
{{- if eq $smtp.mode "external" -}}
{{- $url := ternary $smtp.external.url "" (empty $smtp.external.existingSecret.name) -}}
{{- include "tasklane.outsideEgress" (merge (dict "addresses" (compact (list $url))) $smtp.external) -}}
{{- else -}}
- to:
    {{- include "tasklane.peer" (dict "root" . "component" "mailpit") | nindent 4 }}
  {{- include "tasklane.ports" (dict "root" . "ports" (list 1025)) | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The head of a component's policy, which isolates its pods in both directions. */}}
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
