{{/* Who logs in at Kafka, and what each may do. */}}

{{/* Whether the chart gives each service a login and rights of its own: "true" or nothing. */}}
{{- define "tasklane.kafkaAuthorized" -}}
{{- if and .Values.kafka.authorization.enabled (ne .Values.kafka.mode "external") }}true{{ end -}}
{{- end -}}

{{/* A rule in the form of Strimzi's KafkaUser: (list "topic" "literal" "tasklane.users" "Read Write"). */}}
{{- define "tasklane.kafkaRule" -}}
- resource: { type: {{ index . 0 }}, patternType: {{ index . 1 }}, name: {{ index . 2 | quote }} }
  operations: [{{ index . 3 | splitList " " | join ", " }}]
{{ end -}}

{{- define "tasklane.topicPrefix" -}}
{{- include "tasklane.plain" (.config.TOPIC_PREFIX | default "tasklane") -}}
{{- end -}}

{{/* The topics of requests that any service answers, in full, separated by spaces. */}}
{{- define "tasklane.requestTopics" -}}
{{- $topics := list -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson }}{{ $topics = concat $topics $app.topics.answers }}{{ end -}}
{{- uniq $topics | sortAlpha | join " " -}}
{{- end -}}

{{/* The names of those who send requests and may be answered, separated by spaces. */}}
{{- define "tasklane.askers" -}}
{{- $names := .Values.kafka.authorization.callers -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson }}{{ if $app.topics.asks }}{{ $names = append $names $name }}{{ end }}{{ end -}}
{{- join " " $names -}}
{{- end -}}

{{/* The rules of a service: (dict "root" $ "name" "users" "app" map). Reading and writing include Describe. Kafka has no rules for
     the end of a name, so replies go to topics that are named here or begin as REPLY_TOPIC_PREFIXES says. */}}
{{- define "tasklane.kafkaRules" -}}
{{- $prefix := include "tasklane.topicPrefix" .app -}}
{{- $own := printf "%s.%s" $prefix .name -}}
{{- with .app.topics -}}
{{- range .publishes }}{{ include "tasklane.kafkaRule" (list "topic" "literal" (printf "%s.%s" $prefix .) "Create DescribeConfigs Write") }}{{ end -}}
{{- range .handles }}{{ include "tasklane.kafkaRule" (list "topic" "literal" (printf "%s.%s" $prefix .) "DescribeConfigs Read") }}{{ end -}}
{{- range .asks }}{{ include "tasklane.kafkaRule" (list "topic" "literal" . "Write") }}{{ end -}}
{{- range .answers }}{{ include "tasklane.kafkaRule" (list "topic" "literal" . "Create DescribeConfigs Read") }}{{ end -}}
{{- end -}}
{{- if .app.topics.answers -}}
{{- range include "tasklane.askers" .root | splitList " " | compact -}}
{{- include "tasklane.kafkaRule" (list "topic" "literal" (printf "%s.%s.replies" $prefix .) "Write") -}}
{{- end -}}
{{- range include "tasklane.plain" (.app.config.REPLY_TOPIC_PREFIXES | default "") | splitList "," | compact -}}
{{- include "tasklane.kafkaRule" (list "topic" "prefix" (trim .) "Write") -}}
{{- end -}}
{{- end -}}
{{- include "tasklane.kafkaRule" (list "topic" "prefix" (printf "%s." $own) "Create DescribeConfigs Read Write") -}}
{{- include "tasklane.kafkaRule" (list "topic" "literal" (printf "%s.dead" $own) "Delete") -}}
{{- include "tasklane.kafkaRule" (list "group" "literal" $own "Read") -}}
{{- include "tasklane.kafkaRule" (list "group" "prefix" (printf "%s." $own) "Read") -}}
{{- end -}}

{{/* KEDA asks how far groups have read, and reads nothing. */}}
{{- define "tasklane.kedaRules" -}}
{{- $prefixes := list -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson }}{{ $prefixes = append $prefixes (include "tasklane.topicPrefix" $app) }}{{ end -}}
{{- range uniq $prefixes -}}
{{- include "tasklane.kafkaRule" (list "topic" "prefix" (printf "%s." .) "Describe") -}}
{{- include "tasklane.kafkaRule" (list "group" "prefix" (printf "%s." .) "Describe") -}}
{{- end -}}
{{- range include "tasklane.requestTopics" . | splitList " " | compact -}}
{{- include "tasklane.kafkaRule" (list "topic" "literal" . "Describe") -}}
{{- end -}}
{{- end -}}

{{/* All logins with their rules, as YAML: services, callers, KEDA. */}}
{{- define "tasklane.kafkaUsers" -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson }}
- name: {{ $name }}
  acls:
    {{- include "tasklane.kafkaRules" (dict "root" $ "name" $name "app" $app) | trim | nindent 4 }}
{{- end }}
{{- $asks := include "tasklane.requestTopics" . | splitList " " | compact }}
{{- range .Values.kafka.authorization.callers }}
{{- $topics := dict "publishes" (list) "handles" (list) "asks" $asks "answers" (list) }}
- name: {{ . }}
  acls:
    {{- include "tasklane.kafkaRules" (dict "root" $ "name" . "app" (dict "topics" $topics "config" $.Values.defaults.config)) | trim | nindent 4 }}
{{- end }}
{{- if include "tasklane.usesKeda" . }}
- name: keda
  acls:
    {{- include "tasklane.kedaRules" . | trim | nindent 4 }}
{{- end }}
{{- end -}}

{{/* The Secret with the passwords of embedded Kafka. */}}
{{- define "tasklane.kafkaSecret" -}}
{{- .Values.kafka.embedded.existingSecret | default (printf "%s-kafka" (include "tasklane.fullname" .)) -}}
{{- end -}}

{{/* Where a login's user name and password are, as YAML {username, secret: {name, key}}, or nothing where there is no login:
     (dict "root" $ "name" "users"). In mode external the user name is in a Secret, too. */}}
{{- define "tasklane.kafkaLogin" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if eq $kafka.mode "external" }}
{{- with $kafka.external.sasl }}
{{- if .mechanism }}
{{- $secret := get .existingSecrets $.name | default .existingSecret }}
usernameSecret: { name: {{ $secret }}, key: {{ .usernameKey }} }
passwordSecret: { name: {{ $secret }}, key: {{ .passwordKey }} }
mechanism: {{ .mechanism }}
{{- end }}
{{- end }}
{{- else if eq $kafka.mode "strimzi" }}
{{- $user := printf "%s-%s-kafka" (include "tasklane.fullname" .root) .name }}
username: {{ $user }}
passwordSecret: { name: {{ $user }}, key: password }
mechanism: scram-sha-512
{{- else if include "tasklane.kafkaAuthorized" .root }}
username: {{ .name }}
passwordSecret: { name: {{ include "tasklane.kafkaSecret" .root }}, key: {{ .name }}-password }
mechanism: scram-sha-512
{{- end }}
{{- end -}}
