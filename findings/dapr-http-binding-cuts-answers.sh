#!/usr/bin/env bash
# bindings.http of dapr/components-contrib v1.18.3 (Go)
# Guess: an answer that is longer than maxResponseBodySize is an error; a path goes before the query of the url.
# Behaviour: the answer is cut without a word, with status 200; the path is added behind the query.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/dapr/components-contrib/bindings"
	bindinghttp "github.com/dapr/components-contrib/bindings/http"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/kit/logger"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		fmt.Println("asked for", request.RequestURI)
		fmt.Fprint(answer, `{"price":"1999.00"}`)
	}))
	defer server.Close()
	for _, size := range []string{"100", "12"} {
		binding := bindinghttp.NewHTTP(logger.NewLogger("probe"))
		properties := map[string]string{"url": server.URL + "/v1?country=DE", "maxResponseBodySize": size}
		if err := binding.Init(context.Background(), bindings.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
			panic(err)
		}
		request := bindings.InvokeRequest{Operation: "get", Metadata: map[string]string{"path": "/prices/A-12"}}
		response, err := binding.Invoke(context.Background(), &request)
		fmt.Println(size, response.Metadata["statusCode"], string(response.Data), err)
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
asked for /v1?country=DE/prices/A-12
100 200 {"price":"1999.00"} <nil>
asked for /v1?country=DE/prices/A-12
12 200 {"price":"19 <nil>
SEEN
