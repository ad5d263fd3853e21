#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api v0.20.1 (Go), as `kustomize build` calls it
# Guess: what is built comes in the order of `resources`, or at least with custom resources before the Deployments that need them.
# Behaviour: the command’s order puts each kind that it does not know behind the Deployments; the library alone, or `order: fifo`, keeps that of the files.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"fmt"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func build(settings string, order krusty.ReorderOption) {
	files := filesys.MakeFsInMemory()
	for name, text := range map[string]string{
		"kustomization.yaml": settings + "resources: [component.yaml, deployment.yaml, config.yaml]\n",
		"component.yaml":     "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: statestore }\n",
		"deployment.yaml":    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: orders }\n",
		"config.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop }\n",
	} {
		if err := files.WriteFile(name, []byte(text)); err != nil {
			panic(err)
		}
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = order
	built, err := krusty.MakeKustomizer(options).Run(files, ".")
	if err != nil {
		panic(err)
	}
	for _, each := range built.Resources() {
		fmt.Print(each.GetKind(), " ")
	}
	fmt.Println()
}

func main() {
	// The command's default is legacy, the library's none.
	build("", krusty.ReorderOptionLegacy)
	build("", krusty.MakeDefaultOptions().Reorder)
	build("sortOptions: { order: fifo }\n", krusty.ReorderOptionUnspecified)
}
PROBE
go mod init probe 2> /dev/null
go get sigs.k8s.io/kustomize/api@v0.20.1 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
ConfigMap Deployment Component 
Component Deployment ConfigMap 
Component Deployment ConfigMap 
SEEN
