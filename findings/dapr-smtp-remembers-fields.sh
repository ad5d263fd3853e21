#!/usr/bin/env bash
# bindings.smtp of dapr/components-contrib v1.18.3 (Go)
# Guess: a mail that names no subject has the one that the component's YAML gives.
# Behaviour: it has that of the mail before it: what one call sets, later calls that do not set it keep.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/dapr/components-contrib/bindings"
	"github.com/dapr/components-contrib/bindings/smtp"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/kit/logger"
)

// A mail server that knows just enough, and tells the subject of each mail.
func serve(listener net.Listener, subjects chan<- string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		lines := bufio.NewScanner(connection)
		fmt.Fprint(connection, "220 probe\r\n")
		inData := false
		for lines.Scan() {
			line := lines.Text()
			switch {
			case inData && strings.HasPrefix(line, "Subject: "):
				subjects <- line
			case inData && line == ".":
				inData = false
				fmt.Fprint(connection, "250 taken\r\n")
			case inData:
			case strings.HasPrefix(line, "DATA"):
				inData = true
				fmt.Fprint(connection, "354 go on\r\n")
			case strings.HasPrefix(line, "QUIT"):
				fmt.Fprint(connection, "221 bye\r\n")
			default:
				fmt.Fprint(connection, "250 fine\r\n")
			}
		}
		connection.Close()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	subjects := make(chan string, 1)
	go serve(listener, subjects)
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	log := logger.NewLogger("probe")
	log.SetOutputLevel(logger.FatalLevel)
	binding := smtp.NewSMTP(log)
	properties := map[string]string{
		"host": host, "port": port, "skipTLSVerify": "true", "emailFrom": "shop@example.com", "subject": "News",
	}
	if err := binding.Init(context.Background(), bindings.Metadata{Base: metadata.Base{Properties: properties}}); err != nil {
		panic(err)
	}
	for _, fields := range []map[string]string{
		{"emailTo": "a@example.com"},
		{"emailTo": "a@example.com", "subject": "Your receipt"},
		{"emailTo": "b@example.com"},
	} {
		request := bindings.InvokeRequest{Operation: bindings.CreateOperation, Data: []byte("hello"), Metadata: fields}
		if _, err := binding.Invoke(context.Background(), &request); err != nil {
			panic(err)
		}
		fmt.Println(<-subjects)
	}
}
PROBE
go mod init probe 2> /dev/null
go get github.com/dapr/components-contrib@v1.18.3 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
Subject: News
Subject: Your receipt
Subject: Your receipt
SEEN
