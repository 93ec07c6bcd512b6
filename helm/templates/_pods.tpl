{{/* What every pod of the release has in common: the restricted Pod Security profile, and the environment contract. */}}

{{- /* Pod-level settings. Nothing of ours calls the Kubernetes API, so no pod gets a token for it, and no service
       links: a service named like one of our variables must not set it. */}}
{{- define "fairlead.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "fairlead.containerSettings" -}}
image: {{ include "fairlead.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- /* Replicas on different zones and nodes where there are any; a small cluster may still put them together. */}}
{{- define "fairlead.spread" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "fairlead.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{- /* One variable read from a Secret: (list NAME secret key). */}}
{{- define "fairlead.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 | quote }}
      key: {{ index . 2 | quote }}
{{- end }}

{{- /* The environment of every process, the migration included. */}}
{{- define "fairlead.baseEnv" -}}
- name: SAAS_ENVIRONMENT
  value: production
- name: SAAS_LOG_FORMAT
  value: json
{{- end }}

{{- /* The environment of web and worker. The owner's URL is not in it. */}}
{{- define "fairlead.serviceEnv" -}}
{{- $database := .Values.secrets.database -}}
{{ include "fairlead.baseEnv" . }}
- name: SAAS_DATA
  value: /var/lib/fairlead
- name: SAAS_PUBLIC_URL
  value: {{ .Values.publicUrl | quote }}
{{ include "fairlead.secretEnv" (list "DATABASE_APP_URL" $database.existingSecret $database.appKey) }}
{{ include "fairlead.secretEnv" (list "DATABASE_PLATFORM_URL" $database.existingSecret $database.platformKey) }}
{{ include "fairlead.secretEnv" (list "REDIS_URL" .Values.secrets.redis.existingSecret .Values.secrets.redis.key) }}
- name: SAAS_MASTER_KEY_FILE
  value: /run/secrets/fairlead/master.key
{{- end }}

{{- define "fairlead.extraEnv" -}}
{{- range .Values.extraEnv }}
{{- if .secretKeyRef }}
{{ include "fairlead.secretEnv" (list .name .secretKeyRef.name .secretKeyRef.key) }}
{{- else }}
- name: {{ .name }}
  value: {{ .value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "fairlead.tmpMount" -}}
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "fairlead.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- end }}

{{- /* The data folder of web and worker: the companies' wrapped keys must be the same for every pod and outlive all. */}}
{{- define "fairlead.dataMount" -}}
- name: data
  mountPath: /var/lib/fairlead
{{- end }}

{{- define "fairlead.dataVolume" -}}
- name: data
  persistentVolumeClaim:
    claimName: {{ .Values.data.existingClaim | quote }}
{{- end }}

{{- define "fairlead.masterKeyMount" -}}
- name: master-key
  mountPath: /run/secrets/fairlead
  readOnly: true
{{- end }}

{{- /* 0440 with the pod's fsGroup: readable by our user, writable by nobody. */}}
{{- define "fairlead.masterKeyVolume" -}}
- name: master-key
  secret:
    secretName: {{ .Values.secrets.masterKey.existingSecret | quote }}
    defaultMode: 0440
    items:
      - key: {{ .Values.secrets.masterKey.key | quote }}
        path: master.key
{{- end }}
