#!/usr/bin/env bash
# middleware.http.oauth2clientcredentials of dapr/components-contrib v1.18.3 (Go)
# Guess: while the token operation fails, the app gets an error; a token without `expires_in` is fetched again soon.
# Behaviour: the app gets a 200 without a body. A token without `expires_in` is kept for ever. One's own Authorization goes along.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/middleware"
	"github.com/dapr/components-contrib/middleware/http/oauth2clientcredentials"
	"github.com/dapr/kit/logger"
)

func main() {
	asked, status, answer := 0, 200, `{"access_token":"t","token_type":"Bearer"}`
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	log := logger.NewLogger("probe")
	log.SetOutputLevel(logger.FatalLevel)
	sidecar := func() *httptest.Server {
		properties := map[string]string{
			"clientID": "id", "clientSecret": "secret", "scopes": "s", "tokenURL": issuer.URL,
			"headerName": "Authorization", "authStyle": "1",
		}
		wrap, err := oauth2clientcredentials.NewOAuth2ClientCredentialsMiddleware(log).
			GetHandler(context.Background(), middleware.Metadata{Base: metadata.Base{Properties: properties}})
		if err != nil {
			panic(err)
		}
		return httptest.NewServer(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(202)
			fmt.Fprint(w, r.Header.Values("Authorization"))
		})))
	}
	call := func(what string, to *httptest.Server, own string) {
		request, _ := http.NewRequest("GET", to.URL, nil)
		if own != "" {
			request.Header.Set("Authorization", own)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(response.Body)
		fmt.Printf("%s: %d %q, tokens asked for: %d\n", what, response.StatusCode, body, asked)
	}
	first := sidecar()
	call("a token without expires_in", first, "")
	call("the same again", first, "")
	call("with a header of the app's own", first, "Bearer own")
	status, answer = 503, ""
	call("no token to be had", sidecar(), "")
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
a token without expires_in: 202 "[Bearer t]", tokens asked for: 1
the same again: 202 "[Bearer t]", tokens asked for: 1
with a header of the app's own: 202 "[Bearer own Bearer t]", tokens asked for: 1
no token to be had: 200 "", tokens asked for: 2
SEEN
