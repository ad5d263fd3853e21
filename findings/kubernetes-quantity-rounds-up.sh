#!/usr/bin/env bash
# k8s.io/apimachinery/pkg/api/resource v0.34.1 (Go)
# Guess: a Quantity too small for its unit becomes 0, and a value that does not fit an int64 is an error.
# Behaviour: all is rounded up, away from zero: Value() of a tenth of nano is 1, of minus that, too; 1E in millis is 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	for _, text := range []string{"0.0000000001", "-0.0000000001", "100m", "1.0000000001", "1E"} {
		quantity := resource.MustParse(text)
		fmt.Printf("%s: %s, Value %d, MilliValue %d\n", text, quantity.String(), quantity.Value(), quantity.MilliValue())
	}
}
PROBE
go mod init probe 2> /dev/null
go get k8s.io/apimachinery@v0.34.1 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
0.0000000001: 1n, Value 1, MilliValue 1
-0.0000000001: -1n, Value 1, MilliValue 1
100m: 100m, Value 1, MilliValue 100
1.0000000001: 1000000001n, Value 2, MilliValue 1001
1E: 1E, Value 1000000000000000000, MilliValue 0
SEEN
