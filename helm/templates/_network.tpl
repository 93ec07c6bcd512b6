{{/* Parts of network policies. */}}

{{- /* A peer {namespace, podLabels, cidrs} as a JSON list of NetworkPolicyPeer; empty when the peer is. */}}
{{- define "fairlead.peers" -}}
{{- $peers := list -}}
{{- range .cidrs -}}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" .)) -}}
{{- end -}}
{{- $selected := dict -}}
{{- with .namespace -}}
{{- $selected = set $selected "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .)) -}}
{{- end -}}
{{- with .podLabels -}}
{{- $selected = set $selected "podSelector" (dict "matchLabels" .) -}}
{{- end -}}
{{- if $selected -}}
{{- $peers = append $peers $selected -}}
{{- end -}}
{{- toJson $peers -}}
{{- end }}

{{- define "fairlead.egress.dns" -}}
- to: {{ include "fairlead.peers" .Values.networkPolicy.dns }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{- /* One server on its one port. Without a named peer: any address, that port. */}}
{{- define "fairlead.egress.server" -}}
- ports:
    - {protocol: TCP, port: {{ .port }}}
  {{- with include "fairlead.peers" . | fromJsonArray }}
  to: {{ toJson . }}
  {{- end }}
{{- end }}

{{- define "fairlead.egress.extra" -}}
{{- range . }}
- to:
    - ipBlock: {{ pick . "cidr" "except" | toJson }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
