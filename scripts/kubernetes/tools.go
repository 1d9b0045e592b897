//go:build tools

// Package tools names what is built of the modules in go.mod: the API server that the agent is tried against.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
