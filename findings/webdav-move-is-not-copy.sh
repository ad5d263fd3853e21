#!/usr/bin/env bash
# golang.org/x/net/webdav v0.55.0 (Go)
# Guess: without an Overwrite header MOVE and COPY overwrite (RFC 4918, 10.6), and PUT with If-None-Match: * does not.
# Behaviour: COPY overwrites, MOVE is refused with 412, and PUT overwrites whatever If-None-Match and If-Match say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"golang.org/x/net/webdav"
)

func main() {
	server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()})
	defer server.Close()
	call := func(method, path, name, value string) {
		request, err := http.NewRequest(method, server.URL+path, strings.NewReader(path))
		if err != nil {
			panic(err)
		}
		if name != "" {
			request.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		answer.Body.Close()
		if name == "Destination" {
			value = strings.TrimPrefix(value, server.URL)
		}
		fmt.Println(method, path, name, value, answer.StatusCode)
	}
	call("PUT", "/a", "", "")
	call("PUT", "/b", "", "")
	call("COPY", "/a", "Destination", server.URL+"/b")
	call("MOVE", "/a", "Destination", server.URL+"/b")
	call("PUT", "/b", "If-None-Match", "*")
	call("PUT", "/b", "If-Match", `"another"`)
}
PROBE
go mod init probe 2> /dev/null
go get golang.org/x/net@v0.55.0 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
PUT /a   201
PUT /b   201
COPY /a Destination /b 204
MOVE /a Destination /b 412
PUT /b If-None-Match * 201
PUT /b If-Match "another" 201
SEEN
