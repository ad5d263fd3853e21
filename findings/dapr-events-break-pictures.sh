#!/usr/bin/env bash
# the events of dapr/components-contrib v1.18.3 (Go), its package pubsub
# Guess: an event with the content type image/jpeg carries its bytes in data_base64, one with application/problem+json its data as JSON.
# Behaviour: only application/octet-stream and application/json do; a picture becomes text with U+FFFD for its bytes, the problem a text of JSON.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/dapr/components-contrib/pubsub"
)

func main() {
	jpeg := "\xff\xd8\xff\xe0"
	for _, event := range []struct{ contentType, data string }{
		{"application/octet-stream", jpeg},
		{"image/jpeg", jpeg},
		{"application/json", `{"sku":"A-12"}`},
		{"application/problem+json", `{"sku":"A-12"}`},
	} {
		envelope := pubsub.NewCloudEventsEnvelope("1", "shop", "probe", "", "topic", "bus", event.contentType, []byte(event.data), "", "")
		carried, err := json.Marshal(map[string]any{"data": envelope["data"], "data_base64": envelope["data_base64"]})
		if err != nil {
			panic(err)
		}
		fmt.Println(event.contentType, string(carried))
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
application/octet-stream {"data":null,"data_base64":"/9j/4A=="}
image/jpeg {"data":"\ufffd\ufffd\ufffd\ufffd","data_base64":null}
application/json {"data":{"sku":"A-12"},"data_base64":null}
application/problem+json {"data":"{\"sku\":\"A-12\"}","data_base64":null}
SEEN
