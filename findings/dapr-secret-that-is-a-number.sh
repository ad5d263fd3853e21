#!/usr/bin/env bash
# secretstores.local.file of dapr/components-contrib v1.18.3 (Go)
# Guess: a secret that stands in the JSON file as the number 5432 is handed out as "5432", or refused.
# Behaviour: it is handed out, without an error, as Go's complaint about a wrong verb: "%!s(float64=5432)".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/secretstores"
	"github.com/dapr/components-contrib/secretstores/local/file"
	"github.com/dapr/kit/logger"
)

func main() {
	if err := os.WriteFile("secrets.json", []byte(`{"text":"5432","port":5432,"on":true}`), 0o600); err != nil {
		panic(err)
	}
	store := file.NewLocalSecretStore(logger.NewLogger("probe"))
	properties := map[string]string{"secretsFile": "secrets.json"}
	if err := store.Init(context.Background(), secretstores.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		panic(err)
	}
	for _, name := range []string{"text", "port", "on"} {
		secret, err := store.GetSecret(context.Background(), secretstores.GetSecretRequest{Name: name})
		fmt.Println(name, secret.Data[name], err)
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
text 5432 <nil>
port %!s(float64=5432) <nil>
on %!s(bool=true) <nil>
SEEN
