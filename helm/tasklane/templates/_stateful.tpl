{{/* Helpers shared by the embedded servers, some of them also by the services. */}}

{{/* With a single pod, removing it from the Service does not help: a slow probe would disconnect its clients, and while it
     starts it refuses connections at once, whereas a Service without endpoints makes callers wait. */}}
{{- define "tasklane.alwaysReachable" -}}
publishNotReadyAddresses: true
{{- end -}}

{{/* Where a pod may run: takes a map with nodeSelector, tolerations, affinity and priorityClassName. */}}
{{- define "tasklane.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The same for a replaceable pod: it is evicted early from a lost node, unless its tolerations say otherwise.
     (dict "placement" map "seconds" 30) */}}
{{- define "tasklane.movingPlacement" -}}
{{- $tolerations := list -}}
{{- $own := list -}}
{{- range .placement.tolerations }}{{ $own = append $own .key }}{{ end -}}
{{- range list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" -}}
{{- if not (has . $own) -}}
{{- $tolerations = append $tolerations (dict "key" . "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" (int $.seconds)) -}}
{{- end -}}
{{- end -}}
{{- include "tasklane.placement" (merge (dict "tolerations" (concat $tolerations .placement.tolerations)) .placement) -}}
{{- end -}}

{{/* The volume "data" without persistence. */}}
{{- define "tasklane.dataVolume" -}}
{{- if not .enabled }}
- { name: data, emptyDir: {} }
{{- end }}
{{- end -}}

{{/* The claim "data", with few labels because a StatefulSet's claims are immutable. */}}
{{- define "tasklane.dataClaim" -}}
{{- with .persistence }}
{{- if .enabled }}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: data
      labels:
        {{- include "tasklane.selectorLabels" $ | nindent 8 }}
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources: { requests: { storage: {{ .size }} } }
{{- end }}
{{- end }}
{{- end -}}
