#!/usr/bin/env bash
# middleware.http.sentinel of dapr/components-contrib v1.18.3 (Go)
# Guess: a limiter of requests writes no files unless its YAML names one.
# Behaviour: with the first request it begins to write counts of calls under logs/csp of the home directory, a file a day.
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
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/middleware"
	"github.com/dapr/components-contrib/middleware/http/sentinel"
	"github.com/dapr/kit/logger"
)

func main() {
	home, err := os.MkdirTemp(".", "home")
	if err != nil {
		panic(err)
	}
	home, _ = filepath.Abs(home)
	os.Setenv("HOME", home)
	log := logger.NewLogger("probe")
	log.SetOutputLevel(logger.FatalLevel)
	properties := map[string]string{"appName": "shop", "flowRules": `[{"resource":"GET:/prices","threshold":100}]`}
	limit, err := sentinel.NewMiddleware(log).GetHandler(context.Background(), middleware.Metadata{Base: metadata.Base{Properties: properties}})
	if err != nil {
		panic(err)
	}
	answer := httptest.NewRecorder()
	limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(answer, httptest.NewRequest("GET", "/prices", nil))
	fmt.Println("answer", answer.Code)
	var files []string
	for deadline := time.Now().Add(30 * time.Second); len(files) == 0 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		files, _ = filepath.Glob(filepath.Join(home, "logs/csp/*-metrics.log.*[0-9]"))
	}
	for _, file := range files {
		fmt.Println(regexp.MustCompile(`\d`).ReplaceAllString(file[len(home):], "9"))
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
answer 200
/logs/csp/shop-metrics.log.9999-99-99
SEEN
