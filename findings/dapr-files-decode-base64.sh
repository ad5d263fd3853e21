#!/usr/bin/env bash
# bindings.localstorage of dapr/components-contrib v1.18.3 (Go)
# Guess: get gives back what create was given.
# Behaviour: what happens to be Base64, as 12345678 and order123 are, is stored decoded; the quotes around a text are taken off.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"

	"github.com/dapr/components-contrib/bindings"
	"github.com/dapr/components-contrib/bindings/localstorage"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/kit/logger"
)

func main() {
	binding := localstorage.NewLocalStorage(logger.NewLogger("probe"))
	properties := map[string]string{"rootPath": "files"}
	if err := binding.Init(context.Background(), bindings.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		panic(err)
	}
	invoke := func(operation bindings.OperationKind, data string) string {
		request := bindings.InvokeRequest{Operation: operation, Data: []byte(data), Metadata: map[string]string{"fileName": "note"}}
		response, err := binding.Invoke(context.Background(), &request)
		if err != nil {
			panic(err)
		}
		return string(response.Data)
	}
	for _, data := range []string{"order 1234567", "order123", "12345678", `"quoted"`} {
		invoke(bindings.CreateOperation, data)
		fmt.Printf("%q comes back as %q\n", data, invoke(bindings.GetOperation, ""))
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
"order 1234567" comes back as "order 1234567"
"order123" comes back as "\xa2\xb7^\xaf]\xb7"
"12345678" comes back as "\xd7m\xf8\xe7\xae\xfc"
"\"quoted\"" comes back as "quoted"
SEEN
