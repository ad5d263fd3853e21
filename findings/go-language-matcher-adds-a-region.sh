#!/usr/bin/env bash
# golang.org/x/text/language v0.37.0 (Go)
# Guess: the matcher answers one of the languages that it was given: de for de-AT.
# Behaviour: it answers de-u-rg-atzzzz, which no table of texts has as its key; only the index names the one that was given.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > probe.go << 'PROBE'
package main

import (
	"fmt"

	"golang.org/x/text/language"
)

func main() {
	given := []language.Tag{language.English, language.German, language.MustParse("zh-Hant")}
	matcher := language.NewMatcher(given)
	for _, wanted := range []string{"de", "de-AT", "en-GB", "zh-HK"} {
		tag, index, _ := matcher.Match(language.MustParse(wanted))
		fmt.Println(wanted, "is matched by", tag, "which was given as", given[index])
	}
}
PROBE
go mod init probe 2> /dev/null
go get golang.org/x/text@v0.37.0 2> /dev/null
go mod tidy 2> /dev/null
go run . | tee seen
diff seen - << 'SEEN'
de is matched by de which was given as de
de-AT is matched by de-u-rg-atzzzz which was given as de
en-GB is matched by en-u-rg-gbzzzz which was given as en
zh-HK is matched by zh-Hant-u-rg-hkzzzz which was given as zh-Hant
SEEN
