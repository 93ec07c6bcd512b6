{{/* Rules that values.schema.json cannot say, or cannot say clearly. All problems are told at once, and no message
     repeats a value that could be a credential typed in the wrong place. */}}

{{- define "fairlead.validate" -}}
{{- $problems := concat
      (include "fairlead.problems.name" . | fromJsonArray)
      (include "fairlead.problems.image" . | fromJsonArray)
      (include "fairlead.problems.secrets" . | fromJsonArray)
      (include "fairlead.problems.data" . | fromJsonArray)
      (include "fairlead.problems.environment" . | fromJsonArray)
      (include "fairlead.problems.exposure" . | fromJsonArray)
      (include "fairlead.problems.scaling" . | fromJsonArray) -}}
{{- if $problems -}}
{{- printf "these values cannot be installed:\n- %s" (join "\n- " $problems) | fail -}}
{{- end -}}
{{- end }}

{{- /* A Service's name is a DNS label of RFC 1035: it begins with a letter. */}}
{{- define "fairlead.problems.name" -}}
{{- $found := list -}}
{{- if not (regexMatch "^[a-z]" (include "fairlead.fullname" .)) -}}
{{- $found = append $found (printf "the release is named %q, and a Service's name must begin with a letter: give fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.image" -}}
{{- $found := list -}}
{{- if not .Values.image.repository -}}
{{- $found = append $found "image.repository is empty: name the repository your build of the Dockerfile was pushed to" -}}
{{- end -}}
{{- if eq (lower .Values.image.tag) "latest" -}}
{{- $found = append $found "image.tag is \"latest\", which names no version: give a version tag or image.digest" -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.secrets" -}}
{{- $found := list -}}
{{- range $path := list "databaseOwner" "database" "redis" "masterKey" -}}
{{- range $field, $value := index $.Values.secrets $path -}}
{{- if and (eq $field "existingSecret") (not $value) -}}
{{- $found = append $found (printf "secrets.%s.existingSecret is empty: create a Secret in this namespace and give its name here" $path) -}}
{{- else if and (eq $field "existingSecret") (not (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" $value)) -}}
{{- $found = append $found (printf "secrets.%s.existingSecret is not the name of a Secret (not shown, it may be a credential): names have lower-case letters, digits, - and . only" $path) -}}
{{- else if not (regexMatch "^[-._a-zA-Z0-9]+$" $value) -}}
{{- $found = append $found (printf "secrets.%s.%s is not a key of a Secret (not shown, it may be a credential): keys have letters, digits, -, _ and . only" $path $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.secrets -}}
{{- $owner := list .databaseOwner.existingSecret .databaseOwner.key -}}
{{- range $field := list "appKey" "platformKey" "relayKey" -}}
{{- if deepEqual $owner (list $.Values.secrets.database.existingSecret (index $.Values.secrets.database $field)) -}}
{{- $found = append $found (printf "secrets.database.%s is the owner's URL (secrets.databaseOwner), with which the database would not keep tenants apart: give the URL of the role that owns nothing" $field) -}}
{{- end -}}
{{- end -}}
{{- range $.Values.extraEnv -}}
{{- if and .secretKeyRef (deepEqual $owner (list (dig "secretKeyRef" "name" "" .) (dig "secretKeyRef" "key" "" .))) -}}
{{- $found = append $found (printf "extraEnv gives %s the owner's URL (secrets.databaseOwner), which is for the migration alone: remove it" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.data" -}}
{{- $found := list -}}
{{- if not .Values.data.existingClaim -}}
{{- $found = append $found "data.existingClaim is empty: the companies' wrapped keys would be lost with the pod, and every sealed value with them: create a PersistentVolumeClaim that all pods can mount and give its name here" -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.environment" -}}
{{- $found := list -}}
{{- $ours := list "DATABASE_URL" "DATABASE_APP_URL" "DATABASE_PLATFORM_URL" "DATABASE_RELAY_URL" "REDIS_URL" "SAAS_DATA" "SAAS_ENVIRONMENT" "SAAS_LOG_FORMAT" "SAAS_MASTER_KEY_FILE" "SAAS_PUBLIC_URL" "SAAS_COMPLETION_WAIT_SECONDS" "FORWARDED_ALLOW_IPS" -}}
{{- range .Values.extraEnv -}}
{{- if has .name $ours -}}
{{- $found = append $found (printf "extraEnv sets %s, which the chart sets itself: use the value that stands for it" .name) -}}
{{- else if and .value (or (regexMatch "(PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY$)" .name) (regexMatch "://[^/@]*:[^/@]*@" .value)) -}}
{{- $found = append $found (printf "extraEnv gives %s a value that looks like a credential (not shown): put it into a Secret and use secretKeyRef" .name) -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.exposure" -}}
{{- $found := list -}}
{{- if not (regexMatch "^https://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$" .Values.publicUrl) -}}
{{- $found = append $found "publicUrl must be https://host or https://host:port, in lower case, without path: tokens and pay travel over it" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.tls.secretName) -}}
{{- $found = append $found "ingress.enabled needs ingress.tls.secretName: plain HTTP is not offered, because tokens and pay travel over it" -}}
{{- end -}}
{{- with .Values.networkPolicy -}}
{{- if and .enabled (not .ingressController.namespace) (not .ingressController.cidrs) -}}
{{- $found = append $found "networkPolicy.ingressController names neither a namespace nor CIDRs, so nobody could reach web: name the ingress controller's namespace" -}}
{{- end -}}
{{- if and .enabled (not .dns.namespace) (not .dns.cidrs) -}}
{{- $found = append $found "networkPolicy.dns names neither a namespace nor CIDRs, so no name could be resolved: name the namespace of the cluster's DNS" -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "fairlead.problems.scaling" -}}
{{- $found := list -}}
{{- with .Values.web.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $found = append $found (printf "web.autoscaling.minReplicas is %d, above maxReplicas %d: raise maxReplicas" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- if and .enabled (not (dig "requests" "cpu" "" $.Values.web.resources)) -}}
{{- $found = append $found "web.autoscaling measures CPU against web.resources.requests.cpu, which is not set: set it" -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}
