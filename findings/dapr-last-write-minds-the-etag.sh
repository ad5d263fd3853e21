#!/usr/bin/env bash
# state.in-memory and state.sqlite of dapr/components-contrib v1.18.3 (Go)
# Guess: with the concurrency last-write a write wins, whatever ETag comes with it, as the source of state.redis has it.
# Behaviour: an ETag that is not the current one is refused with last-write, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/state"
	inmemory "github.com/dapr/components-contrib/state/in-memory"
	"github.com/dapr/components-contrib/state/sqlite"
	"github.com/dapr/kit/logger"
)

func main() {
	log := logger.NewLogger("probe")
	log.SetOutputLevel(logger.FatalLevel)
	properties := map[string]string{"connectionString": ":memory:"}
	etag := "12345"
	for _, store := range []struct {
		name string
		state.Store
	}{{"in-memory", inmemory.NewInMemoryStateStore(log)}, {"sqlite", sqlite.NewSQLiteStateStore(log)}} {
		if err := store.Init(context.Background(), state.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
			panic(err)
		}
		for _, given := range []*string{nil, &etag} {
			options := state.SetStateOption{Concurrency: state.LastWrite}
			err := store.Set(context.Background(), &state.SetRequest{Key: "cart", Value: "tea", ETag: given, Options: options})
			fmt.Println(store.name, "with an ETag", given != nil, "written", err == nil)
		}
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
in-memory with an ETag false written true
in-memory with an ETag true written false
sqlite with an ETag false written true
sqlite with an ETag true written false
SEEN
