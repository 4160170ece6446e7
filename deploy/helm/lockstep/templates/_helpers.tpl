{{- define "lockstep.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "lockstep.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lockstep.labels" -}}
{{ include "lockstep.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "lockstep.secret" -}}
{{- .Values.token.existingSecret | default (printf "%s-token" (include "lockstep.name" .)) -}}
{{- end -}}

{{- define "lockstep.claim" -}}
{{- .Values.checkpoints.existingClaim | default (printf "%s-checkpoints" (include "lockstep.name" .)) -}}
{{- end -}}
