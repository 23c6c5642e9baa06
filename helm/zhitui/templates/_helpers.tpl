{{- define "zhitui.name" -}}
{{- printf "%s-zhitui" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "zhitui.labels" -}}
app.kubernetes.io/name: zhitui
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "zhitui.selector" -}}
app.kubernetes.io/name: zhitui
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
