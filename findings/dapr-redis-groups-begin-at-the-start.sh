#!/usr/bin/env bash
# pubsub.redis of dapr/components-contrib v1.18.3 (Go), by miniredis v2.36.1
# Guess: a subscriber that comes new, with a consumer group of its own, gets what is published from then on.
# Behaviour: it gets all events that the stream still holds, however old.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/pubsub"
	"github.com/dapr/components-contrib/pubsub/redis"
	"github.com/dapr/kit/logger"
)

func main() {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		panic(err)
	}
	bus := redis.NewRedisStreams(logger.NewLogger("probe"))
	// With one worker events come in their order.
	properties := map[string]string{"redisHost": server.Addr(), "consumerID": "new-service", "concurrency": "1"}
	if err := bus.Init(context.Background(), pubsub.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		panic(err)
	}
	publish := func(data string) {
		if err := bus.Publish(context.Background(), &pubsub.PublishRequest{Topic: "order.placed", Data: []byte(data)}); err != nil {
			panic(err)
		}
	}
	publish("order of last year")
	events := make(chan string, 10)
	err := bus.Subscribe(context.Background(), pubsub.SubscribeRequest{Topic: "order.placed"}, func(_ context.Context, event *pubsub.NewMessage) error {
		events <- string(event.Data)
		return nil
	})
	if err != nil {
		panic(err)
	}
	publish("order of today")
	for range 2 {
		select {
		case event := <-events:
			fmt.Println("got", event)
		case <-time.After(30 * time.Second):
			fmt.Println("got nothing more")
		}
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go get github.com/alicebob/miniredis/v2@v2.36.1 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
got order of last year
got order of today
SEEN
