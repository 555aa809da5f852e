{{/* Names, labels, images: what every template of this chart uses. */}}

{{- define "tasklane.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/* The prefix of all names: the release's name, with the chart's unless it contains that. 29 characters leave
     room for <prefix>-notifications-redrive in a CronJob's 52 and for <prefix>-notifications-migrate-<revision>-<hash> in a
     Job's 63. A Service's name has no dots. */}}
{{- define "tasklane.fullname" -}}
{{- $name := include "tasklane.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 29 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | trunc 29 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The services by name, each with its defaults, as JSON. */}}
{{- define "tasklane.apps" -}}
{{- $apps := dict -}}
{{- range $name, $service := .Values.services -}}
{{- $_ := set $apps $name (mustMergeOverwrite (deepCopy $.Values.defaults) $service) -}}
{{- end -}}
{{- toJson $apps -}}
{{- end -}}

{{/* The names of the services, separated by spaces, in the order in which they are rendered. */}}
{{- define "tasklane.services" -}}
{{- keys .Values.services | sortAlpha | join " " -}}
{{- end -}}

{{/* The name of the service that signs access tokens. Fails where it is not exactly one. */}}
{{- define "tasklane.issuer" -}}
{{- $issuers := list -}}
{{- range $name, $app := include "tasklane.apps" . | fromJson -}}
{{- if $app.issuesTokens }}{{ $issuers = append $issuers $name }}{{ end -}}
{{- end -}}
{{- if ne (len $issuers) 1 -}}
{{- fail (printf "services.*.issuesTokens is true for %s: set it for the one service that signs access tokens" (join " and " $issuers | default "none")) -}}
{{- end -}}
{{- first $issuers -}}
{{- end -}}

{{/* The service that always exists, as JSON: the chart's own pods use its image. */}}
{{- define "tasklane.tools" -}}
{{- get (include "tasklane.apps" . | fromJson) (include "tasklane.issuer" .) | toJson -}}
{{- end -}}

{{/* Labels that never change, for selectors: (dict "root" $ "component" "users"). */}}
{{- define "tasklane.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tasklane.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "tasklane.labels" -}}
{{ include "tasklane.selectorLabels" . }}
app.kubernetes.io/part-of: tasklane
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of pods: no versions, so that a chart upgrade restarts only pods that changed. */}}
{{- define "tasklane.podLabels" -}}
{{ include "tasklane.selectorLabels" . }}
app.kubernetes.io/part-of: tasklane
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of a resource: (dict "root" $ "component" "users" "name" "tasklane-users" "annotations" dict). */}}
{{- define "tasklane.metadata" -}}
name: {{ .name }}
labels:
  {{- include "tasklane.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A number as it was written: Helm parses numbers as floats and prints large ones as 1e+06. */}}
{{- define "tasklane.plain" -}}
{{- if kindIs "float64" . }}{{ toJson . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* A quantity of bytes, such as 8Gi, as a number. */}}
{{- define "tasklane.bytes" -}}
{{- $text := include "tasklane.plain" . -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf (regexFind "^[0-9.]+" $text) (regexFind "[A-Za-z]*$" $text | get $units) | int64 -}}
{{- end -}}

{{/* An image's reference: (dict "root" $ "image" map with repository, tag, digest). */}}
{{- define "tasklane.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^[^/]*[.:][^/]*/|^localhost/" $repository "") -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (include "tasklane.plain" .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The image of a service; tag and pull policy default to those of `image`: (dict "root" $ "app" map). */}}
{{- define "tasklane.appImage" -}}
{{- $common := .root.Values.image -}}
{{- $image := dict "repository" .app.image.repository "digest" .app.image.digest
      "tag" (.app.image.tag | default $common.tag | default .root.Chart.AppVersion) -}}
image: {{ include "tasklane.image" (dict "root" .root "image" $image) }}
imagePullPolicy: {{ .app.image.pullPolicy | default $common.pullPolicy }}
{{- end -}}

{{- define "tasklane.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "tasklane.serviceAccountName" -}}
{{- if .app.serviceAccount.create -}}
{{- .app.serviceAccount.name | default (printf "%s-%s" (include "tasklane.fullname" .root) .name) -}}
{{- else -}}
{{- .app.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Whether at least two pods of a service run: (dict "app" map) gives "true" or nothing. */}}
{{- define "tasklane.isReplicated" -}}
{{- $least := ternary .app.autoscaling.minReplicas .app.replicaCount .app.autoscaling.enabled -}}
{{- if ge (int $least) 2 }}true{{ end -}}
{{- end -}}

{{/* Fails if a Secret would be generated that can never be read back: (dict "root" $ "secret" name "instead" "a.b"). Without a
     cluster, Helm assumes every API that it was compiled with, including those that Kubernetes has dropped. */}}
{{- define "tasklane.mayGenerate" -}}
{{- if and (eq .root.Values.secrets.generate "kept") (.root.Capabilities.APIVersions.Has "extensions/v1beta1") -}}
{{- fail (printf "the Secret %s would be another one at every rendering, as no cluster is asked for it here: set %s, or secrets.generate=always where nobody installs the result" .secret .instead) -}}
{{- end -}}
{{- end -}}

{{/* A value of a Secret that exists in the cluster, or a new random one: (dict "root" $ "secret" name "key" key "length" 32
     "instead" "a.b", the value that names a Secret of one's own). Reading it back is what keeps passwords over upgrades. */}}
{{- define "tasklane.keptSecret" -}}
{{- $existing := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- with dig "data" .key "" (default (dict) $existing) -}}{{- . -}}
{{- else -}}
{{- include "tasklane.mayGenerate" . -}}
{{- randAlphaNum .length | b64enc -}}
{{- end -}}
{{- end -}}

{{/* Checks of kube-score that are off, and why, as annotations: (dict "more" "check,check").
     container-image-pull-policy: the tag of a release never changes, and a pod must start while its registry is unavailable.
     container-security-context-user-group-id: the official images of PostgreSQL and Kafka have users 999 and 1000.
     statefulset-has-servicename: a headless Service would resolve to the address of a terminated pod; behind a ClusterIP
       the address is stable, and clients are refused at once while the pod is down.
     pod-probes-identical: Kafka has no better check than an open port; liveness is only more patient.
     pod-probes: the load generator serves nothing.
     networkpolicy-targets-pod: the pods of CloudNativePG are created by its operator. */}}
{{- define "tasklane.scored" -}}
kube-score/ignore: {{ list "container-image-pull-policy" .more | compact | join "," }}
{{- end -}}

{{/* A pod's security context: (dict "root" $ "context" map). OpenShift assigns user and group ids per namespace and rejects others. */}}
{{- define "tasklane.podSecurityContext" -}}
{{- if .root.Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
{{- omit .context "runAsUser" "runAsGroup" "fsGroup" | toYaml -}}
{{- else -}}
{{- toYaml .context -}}
{{- end -}}
{{- end -}}

{{/* The same for pods that are not services: (dict "root" $ "uid" 999). */}}
{{- define "tasklane.podSecurity" -}}
{{- $seccomp := dict "type" "RuntimeDefault" -}}
{{- $context := dict "runAsNonRoot" true "runAsUser" .uid "runAsGroup" .uid "fsGroup" .uid "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" $seccomp -}}
{{- include "tasklane.podSecurityContext" (dict "root" .root "context" $context) -}}
{{- end -}}

{{- define "tasklane.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* The service that serves a path, or nothing: (dict "root" $ "path" "/api/v1/lists"). */}}
{{- define "tasklane.routed" -}}
{{- range $name, $app := include "tasklane.apps" .root | fromJson -}}
{{- if has $.path $app.routes }}{{ $name }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The public address, or nothing if the values name none; wildcards and hosts of disabled features do not count.
     Whether a Gateway serves HTTPS is known only from publicUrl. */}}
{{- define "tasklane.knownUrl" -}}
{{- $urls := list .Values.publicUrl -}}
{{- range ternary .Values.ingress.hosts (list) .Values.ingress.enabled -}}
{{- if not (hasPrefix "*" .) }}{{ $urls = append $urls (printf "%s://%s" (ternary "https" "http" $.Values.ingress.tls.enabled) .) }}{{ end -}}
{{- end -}}
{{- range ternary .Values.httpRoute.hostnames (list) .Values.httpRoute.enabled -}}
{{- if not (hasPrefix "*" .) }}{{ $urls = append $urls (printf "http://%s" .) }}{{ end -}}
{{- end -}}
{{- with compact $urls }}{{ first . }}{{ end -}}
{{- end -}}

{{- define "tasklane.publicUrl" -}}
{{- include "tasklane.knownUrl" . | default "http://localhost" -}}
{{- end -}}
