#!/usr/bin/env bash
# yaml 2.9.1 (npm) and sigs.k8s.io/yaml v1.6.0 (Go), by which kubectl and the API server read
# Guess: a list of strings that one writes is a list of strings for the other: what is no string without quotes is quoted.
# Behaviour: the one writes YAML 1.2, where yes, 1_000 and 0b11 are strings, the other reads 1.1: true, 1000 and 3. `version: '1.1'` quotes them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . yaml@2.9.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > write.mjs << 'PROBE'
import { stringify } from 'yaml'
const args = ['--appendonly', 'yes', 'NO', 'on', 'y', '1_000', '0b11', '0x1F', '012', 'null']
console.log(stringify(args, process.argv[2] ? { version: process.argv[2] } : {}))
PROBE
cat > probe.go << 'PROBE'
package main

import (
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, _ := io.ReadAll(os.Stdin)
	read, err := yaml.YAMLToJSON(text)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(read))
}
PROBE
go mod init probe 2> /dev/null
go get sigs.k8s.io/yaml@v1.6.0 2> /dev/null
go mod tidy 2> /dev/null
go build -o probe .
{
  node write.mjs | ./probe
  node write.mjs 1.1 | ./probe
} | tee seen
diff seen - << 'SEEN'
["--appendonly",true,false,true,true,1000,3,"0x1F","012","null"]
["--appendonly","yes","NO","on","y","1_000","0b11","0x1F","012","null"]
SEEN
