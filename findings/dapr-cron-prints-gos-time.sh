#!/usr/bin/env bash
# bindings.cron of dapr/components-contrib v1.18.3 (Go)
# Guess: readTimeUTC of a tick is a time by RFC 3339, as the times of Dapr's events are.
# Behaviour: it is as Go prints a time, such as 2026-01-31 09:00:00.123456789 +0000 UTC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/dapr/components-contrib/bindings"
	"github.com/dapr/components-contrib/bindings/cron"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/kit/logger"
)

func main() {
	binding := cron.NewCron(logger.NewLogger("probe"))
	properties := map[string]string{"schedule": "@every 1s"}
	if err := binding.Init(context.Background(), bindings.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		panic(err)
	}
	ticks := make(chan map[string]string, 100)
	err := binding.Read(context.Background(), func(_ context.Context, tick *bindings.ReadResponse) ([]byte, error) {
		ticks <- tick.Metadata
		return nil, nil
	})
	if err != nil {
		panic(err)
	}
	tick := <-ticks
	_, err = time.Parse(time.RFC3339Nano, tick["readTimeUTC"])
	shape := regexp.MustCompile(`\.\d+`).ReplaceAllString(tick["readTimeUTC"], ".9")
	fmt.Println(regexp.MustCompile(`\d`).ReplaceAllString(shape, "9"), "| by RFC 3339", err == nil)
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
9999-99-99 99:99:99.9 +9999 UTC | by RFC 3339 false
SEEN
