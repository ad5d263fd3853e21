#!/usr/bin/env bash
# dapr/kit v0.18.3 (Go), its packages config and metadata
# Guess: a duration written as a bare number, such as "5", means the same wherever a component's YAML is read.
# Behaviour: config.Decode, which reads a component's retries, takes milliseconds, metadata.DecodeMetadata, which reads the rest, seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"fmt"
	"time"

	"github.com/dapr/kit/config"
	"github.com/dapr/kit/metadata"
)

func main() {
	for _, text := range []string{"5", "5s"} {
		var byConfig, byMetadata struct {
			Wait time.Duration `mapstructure:"wait"`
		}
		properties := map[string]string{"wait": text}
		if err := config.Decode(properties, &byConfig); err != nil {
			panic(err)
		}
		if err := metadata.DecodeMetadata(properties, &byMetadata); err != nil {
			panic(err)
		}
		fmt.Println(text, byConfig.Wait, byMetadata.Wait)
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/kit@v0.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
5 5ms 5s
5s 5s 5s
SEEN
