{{/* Helpers shared by the embedded servers, some of them also by the services. */}}

{{/* There is one pod, so taking it out of the Service helps nobody: a slow probe would only cut its clients off, and while
     it starts it refuses at once, where a Service without pods lets callers wait. */}}
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

{{/* The same for a pod that another can replace: it leaves a lost node early, if its tolerations say nothing about that.
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

{{/* The claim "data"; its labels are few because a StatefulSet's claims can never change. */}}
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
